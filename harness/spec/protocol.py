"""Protocols: how a number is made, as data with a version and a hash."""

from __future__ import annotations

from functools import cached_property
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from harness.base.errors import ProtocolError
from harness.base.hashing import digest
from harness.spec.corruption import Corruption
from harness.spec.dataset import Card, Split
from harness.spec.filters import Filter
from harness.spec.heldout import HeldOut
from harness.spec.missing import RandomMissing
from harness.spec.modality import MODALITIES, Modality

# Said in tables and hashed by nobody: changing a word must not change what shares a table.
_WORDS = {"name", "title", "used_by", "groups"}

# Fields that came after the first records. At its default such a field says what every earlier
# protocol said by not having it, so it is left out of the hash there: a protocol whose meaning did
# not change keeps its hash, and its old numbers keep their table.
_ADDED = ("random_missing", "corruption", "held_out", "ties", "caption_of_missing")

_REMOVED: dict[Filter | Literal["dataset"], str] = {
    "same_pid_same_cam": "those of the same identity seen by the same camera",
    "same_pid_same_scene": "those of the same identity in the same scene",
    "same_pid_same_view": "those of the same identity from the same view",
    "same_cam": "those of every identity seen by the query's camera, which is the same place",
    "none": "none",
    "dataset": "those that the field removes on the data set",
}

_TIES = {"name_hash": "a hash of the names, which knows no identity", None: "gallery order"}

Side = Literal["train", "query", "gallery"]


class Change(NamedTuple):
    """What a protocol does to the images of a side before a method sees them."""

    random_missing: RandomMissing | None = None
    corruption: Corruption | None = None
    captions_stay: bool = False
    """Those of images that are left out are shown all the same."""


class Protocol(BaseModel):
    """What is trained on, queried, searched, removed and measured.

    Attributes:
        title: What it is called in the papers' tables.
        used_by: Whose tables.
        groups: Words that stand for several protocols after `harness evaluate --protocol`.
        train_modalities, query_modalities, gallery_modalities: What each side has; an absent
            modality is never loaded. All three stand for all that the data set has.
        filter: Gallery entries removed for each query; `dataset` takes the card's rule.
        distance: Between descriptors as the method gives them.
        normalise: L2-normalise the descriptors first.
        average_precision: The definition; the mean of the precision at each match.
        selection: Which epoch is scored; `last` looks at no test number.
        random_missing: Modalities left out at test, sample by sample.
        corruption: What is done to the images at test.
        held_out: Train identities that are query and gallery instead of the test splits; for
            choosing settings without looking at a test number.
        caption_of_missing: For methods that are given captions: `keep` shows the caption of an
            image that is missing; otherwise it goes with its image. A corrupted image keeps it.
        ties: Which of equally near gallery samples is ranked first. `name_hash` is an order by the
            names' SHA-256, which knows nothing of identities; None is the order of the gallery,
            as protocols of before say by not having the field.
        version: Raised when a meaning changes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    used_by: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
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
    random_missing: RandomMissing | None = None
    corruption: Corruption | None = None
    held_out: HeldOut | None = None
    caption_of_missing: Literal["keep"] | None = None
    ties: Literal["name_hash"] | None = "name_hash"

    def bind(self, card: Card) -> BoundProtocol:
        """The protocol on one data set, with the filter and the modalities settled.

        Raises:
            ProtocolError: The data set lacks a modality that the protocol is about.
        """
        rule = card.filter if self.filter == "dataset" else self.filter
        sides = {f"{s}_modalities": self._settled(s, card) for s in ("train", "query", "gallery")}
        self._require_meaning(sides, card)
        return BoundProtocol(**{**self.model_dump(), "filter": rule, **sides})

    def side(self, side: Side) -> tuple[Modality, ...]:
        """The modalities of a side."""
        return {
            "train": self.train_modalities,
            "query": self.query_modalities,
            "gallery": self.gallery_modalities,
        }[side]

    def change(self, side: Side) -> Change:
        """What is done to the images of a side."""
        if side == "train":
            return Change()
        found = self.corruption
        clean = found is None or (side == "gallery" and found.sides == "query")
        stay = self.caption_of_missing == "keep"
        return Change(self.random_missing, None if clean else found, stay)

    def in_words(self) -> list[str]:
        """What is trained, queried, searched, removed and measured, a sentence each."""
        scaled = "L2-normalised descriptors" if self.normalise else "descriptors as they are"
        made = (self.held_out, self.random_missing, self.corruption)
        changes = [change.in_words() for change in made if change is not None]
        left_out = [m for m in self.train_modalities if m not in self.query_modalities]
        if left_out and self.query_modalities == self.gallery_modalities:
            changes.append(f"Missing from every query and gallery: {' and '.join(left_out)}.")
        if self.caption_of_missing == "keep":
            changes.append("The captions of missing images are shown all the same.")
        return [
            f"Trained on the {self.train_split} split with {'+'.join(self.train_modalities)}.",
            f"Queried with the {self.query_split} split, {'+'.join(self.query_modalities)}.",
            f"Searched in the {self.gallery_split} split, {'+'.join(self.gallery_modalities)}.",
            *changes,
            f"Removed from the gallery for each query: {removed_in_words(self.filter)}.",
            f"Measured by {self.distance.replace('_', ' ')} distance on {scaled}; AP is the mean "
            f"of the precision at each match; ties go by {_TIES[self.ties]}.",
            f"Selection: the {self.selection} epoch.",
        ]

    def _settled(self, side: str, card: Card) -> tuple[Modality, ...]:
        wanted: tuple[Modality, ...] = getattr(self, f"{side}_modalities")
        if wanted == MODALITIES:
            return card.modalities
        self._require(wanted, f"its {side} side has", card)
        return wanted

    def _require(self, wanted: tuple[Modality, ...], words: str, card: Card) -> None:
        lacking = [m for m in wanted if m not in card.modalities]
        if lacking:
            raise ProtocolError(
                seen=f"{self.name} does not apply to {card.name}: {words} {'+'.join(wanted)}, and "
                f"the set has no {' and no '.join(lacking)}",
                expected=f"a protocol over {'+'.join(card.modalities)}",
                do="choose another: harness list protocols",
            )

    def _require_meaning(self, settled: dict[str, tuple[Modality, ...]], card: Card) -> None:
        if self.corruption is not None and self.corruption.modalities != MODALITIES:
            self._require(self.corruption.modalities, "it corrupts", card)
        left_out = len({self.train_modalities, self.query_modalities, self.gallery_modalities}) > 1
        if left_out and len(set(settled.values())) == 1:
            raise ProtocolError(
                seen=f"{self.name} does not apply to {card.name}: with {'+'.join(card.modalities)} "
                "nothing is left out",
                expected="a data set with a modality to leave out",
                do="use the protocol full, which is the same there",
            )


class BoundProtocol(Protocol):
    """A protocol with nothing left open; only this has a hash."""

    filter: Filter
    # What a record of before leaves out is the order that it was ranked in.
    ties: Literal["name_hash"] | None = None

    @cached_property
    def hash(self) -> str:
        """SHA-256 over everything that can change a number, and nothing else."""
        meaning = self.model_dump(mode="json", exclude=_WORDS)
        return digest({k: v for k, v in meaning.items() if k not in _ADDED or v is not None})


def removed_in_words(rule: Filter | Literal["dataset"]) -> str:
    """Which gallery entries a filter removes, to follow "removed for each query:"."""
    return _REMOVED[rule]
