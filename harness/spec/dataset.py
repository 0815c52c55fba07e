"""The nouns of data: a card says what should be there, samples say what is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from harness.base.errors import DataError, PluginError
from harness.base.progress import Advance
from harness.spec.filters import Filter
from harness.spec.modality import MODALITIES, Modality

Split = Literal["train", "query", "gallery"]
SPLITS: tuple[Split, ...] = ("train", "query", "gallery")


def _rising(ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] < ends[1]:
        raise ValueError(
            f"a range goes from a lower to a higher number, not {ends[0]} to {ends[1]}"
        )
    return ends


Range = Annotated[tuple[FiniteFloat, FiniteFloat], AfterValidator(_rising)] | Literal["image"]
"""Which values of a file of more than 8 bits become 0 and 255; `image`: its own lowest, highest."""


class Sample(NamedTuple):
    """One aligned triplet: its images by modality and who is on them."""

    name: str
    """The file's name without its modality folder; unique within a split."""
    pid: int
    camid: int
    """0-based, as the authors' loaders count."""
    scene: int | None
    paths: Mapping[Modality, Path]
    """A modality that is absent has no entry; at least one is there."""
    strip: tuple[Modality, ...] = ()
    """For a set that keeps a sample's images side by side in one file, which all paths then are:
    their order from left to right; read with `harness.data.images.read_sample`."""
    ranges: Mapping[Modality, Range] = {}
    """The card's; put here when the set is opened, so that whoever reads an image has them."""


class SplitCounts(BaseModel):
    """How many of each a split of the published set has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    identities: int
    samples: int
    cameras: int


class Card(BaseModel):
    """What is known of a data set without looking at it; `cards/<name>.toml`.

    Attributes:
        roots: Folder names under which the set is usually found.
        folders: The folder of each split.
        grammar: Regular expression of a file name; `grammar_words` says it for people.
        filter: Which gallery entries the field removes for a query of this set.
        protocol: The protocol used when none is named.
        file_list_hash: SHA-256 of the published file list, see `file_list_hash()`; None when
            the set has no single published list.
        listed_splits: The splits whose published list is known, which the hash is over.
        junk_pids: Identities whose files are part of the set but of no split.
        known_incomplete: File names that lack a modality in the published set itself; passed over
            with a note, while any other incomplete sample is an error.
        known_leaks: Identities that the published set has in train and in test.
        ranges: By modality, which values of files of more than 8 bits become 0 and 255; without
            one, 16 bits are taken whole, and 32 bits and floating point are refused.
        chance: What a random ranking scores under the card's protocol, in percent, by metric; only
            for a set whose whole list is published.
        embedded: The set comes with the harness and is made on first use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    kind: str
    licence: str
    where: str
    citation: str
    roots: tuple[str, ...]
    modalities: tuple[Modality, ...] = MODALITIES
    folders: dict[Split, str]
    tree: str
    grammar: str
    grammar_words: str
    filter: Filter
    protocol: str = "full"
    counts: dict[Split, SplitCounts] = Field(default_factory=dict)
    file_list_hash: str | None = None
    listed_splits: tuple[Split, ...] = SPLITS
    junk_pids: tuple[int, ...] = ()
    known_incomplete: tuple[str, ...] = ()
    known_leaks: tuple[int, ...] = ()
    ranges: dict[Modality, Range] = Field(default_factory=dict)
    chance: dict[str, float] = Field(default_factory=dict)
    embedded: bool = False
    notes: tuple[str, ...] = ()


class DatasetInfo(NamedTuple):
    """The declaration of a data set: its card's file and the loader's "module:Class"."""

    name: str
    target: str
    card: Path
    drawable: str = ""
    """The "module:NAME" of the `Drawable` that draws a set like it; empty where there is none."""


class Scan(NamedTuple):
    """What one split holds, and everything found wrong with it."""

    samples: tuple[Sample, ...]
    """Sorted by name, so the order is the same on every file system."""
    problems: tuple[DataError, ...]
    notes: tuple[str, ...] = ()
    """What a person should know although nothing is wrong: files passed over, a list derived."""


class Dataset(Protocol):
    """A loader: made from a root and a card, it finds the samples of a split.

    Attributes:
        root: The folder all files lie under; an inner folder of the root given, where the
            published set has one.
        card: The card given, or one that says more where the root itself describes the set.
        described_by: Files beside the images that decide identities, cameras or splits; a record's
            data hash is over their bytes too.

    A loader may have `captions() -> Iterable[harness.data.captions.Caption]`, where what is said of
    the images comes with them; other sets have a file of captions beside them, or none.
    """

    root: Path
    card: Card
    described_by: tuple[Path, ...]

    def __init__(self, root: Path, card: Card) -> None: ...

    @staticmethod
    def recognises(root: Path, card: Card) -> bool:
        """Whether the folder, or the file, has this data set's layout."""
        ...

    def scan(self, split: Split) -> Scan:
        """Find the samples of a split from file names alone; no image is opened."""
        ...


class Drawable(Protocol):
    """What draws a set in a published layout, for `harness data synthesize`.

    The scale is `small`, a few of everything, or `full`, with the published counts.
    """

    def count(self, scale: str) -> int:
        """How many samples `draw` draws.

        Raises:
            UnknownNameError: No such scale.
        """
        ...

    def draw(self, out: Path, seed: int, scale: str, advance: Advance) -> None:
        """Draw into the new folder `out`; the same seed gives the same files.

        Raises:
            UnknownNameError: No such scale.
            DataError: Something is at `out` already.
        """
        ...


def load_card(path: Path) -> Card:
    """Read a card.

    Raises:
        PluginError: The file is not TOML or does not hold a card's fields.
    """
    try:
        return Card.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError, OSError) as error:
        raise PluginError(
            seen=f"the card {path} cannot be read: {error}",
            expected="a TOML file with the fields of harness.spec.dataset.Card",
            do="mend the card; `harness show dataset rgbnt201` shows one that works",
        ) from error
