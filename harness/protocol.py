"""Protocols: how a number is made, as data with a version and a hash."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.dataset import Card, Split
from harness.filters import Filter
from harness.hashing import digest
from harness.modality import MODALITIES, Modality

# Said in tables and hashed by nobody: changing a word must not change what shares a table.
_WORDS = {"name", "title", "used_by"}


class Protocol(BaseModel):
    """What is trained on, queried, searched, removed and measured.

    Attributes:
        train_modalities, query_modalities, gallery_modalities: What each side has; an absent
            modality is never loaded.
        filter: Gallery entries removed for each query; `dataset` takes the card's rule.
        distance: Between descriptors as the method gives them.
        normalise: L2-normalise the descriptors first.
        average_precision: The definition; the mean of the precision at each match.
        selection: Which epoch is scored; `last` looks at no test number.
        version: Raised when a meaning changes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    used_by: tuple[str, ...] = ()
    version: int = Field(default=1, ge=1)
    train_split: Split = "train"
    query_split: Split = "query"
    gallery_split: Split = "gallery"
    train_modalities: tuple[Modality, ...] = MODALITIES
    query_modalities: tuple[Modality, ...] = MODALITIES
    gallery_modalities: tuple[Modality, ...] = MODALITIES
    filter: Filter | Literal["dataset"] = "dataset"
    distance: Literal["squared_euclidean", "cosine"] = "squared_euclidean"
    normalise: bool = False
    average_precision: Literal["mean_precision_at_matches"] = "mean_precision_at_matches"
    selection: Literal["last"] = "last"

    def bind(self, card: Card) -> BoundProtocol:
        """The protocol on one data set, with the filter settled."""
        rule = card.filter if self.filter == "dataset" else self.filter
        return BoundProtocol(**{**self.model_dump(), "filter": rule})


class BoundProtocol(Protocol):
    """A protocol with nothing left open; only this has a hash."""

    filter: Filter

    @cached_property
    def hash(self) -> str:
        """SHA-256 over everything that can change a number, and nothing else."""
        return digest(self.model_dump(mode="json", exclude=_WORDS))

    def in_words(self) -> list[str]:
        """What is trained, queried, searched, removed and measured, a sentence each."""
        removed = {
            "same_pid_same_cam": "of the same identity seen by the same camera",
            "same_pid_same_scene": "of the same identity in the same scene",
            "same_pid_same_view": "of the same identity from the same view",
            "none": "none",
        }[self.filter]
        scaled = "L2-normalised descriptors" if self.normalise else "descriptors as they are"
        return [
            f"Trained on the {self.train_split} split with {'+'.join(self.train_modalities)}.",
            f"Queried with the {self.query_split} split, {'+'.join(self.query_modalities)}.",
            f"Searched in the {self.gallery_split} split, {'+'.join(self.gallery_modalities)}.",
            f"Removed from the gallery for each query: {removed}.",
            f"Measured by {self.distance.replace('_', ' ')} distance on {scaled}; AP is the mean "
            "of the precision at each match; ties go by gallery order.",
            f"Selection: the {self.selection} epoch.",
        ]
