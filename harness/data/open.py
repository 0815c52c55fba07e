"""From a name or a folder to an open data set: found, scanned and hashed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.data.hashes import content_hash, file_list_hash
from harness.data.variants import accepted
from harness.dataset import SPLITS, Card, Dataset, Sample, Scan, Split, load_card
from harness.errors import DataError, DatasetNotFoundError, PluginError, UnknownNameError
from harness.files import cache_folder
from harness.plugins import Plugins, load_target
from harness.progress import say


@dataclass(frozen=True)
class OpenDataset:
    """A data set at a place on this disk."""

    card: Card
    root: Path
    loader: Dataset

    @cached_property
    def scans(self) -> dict[Split, Scan]:
        """Every split's samples and problems; a folder two splits share is read once."""
        first = {f: s for s, f in reversed(self.card.folders.items())}
        by_folder = {folder: self.loader.scan(split) for folder, split in first.items()}
        return {split: by_folder[self.card.folders[split]] for split in SPLITS}

    def samples(self, split: Split) -> tuple[Sample, ...]:
        """The samples of a split, sorted by name.

        Raises:
            DataError: The first thing found wrong with the split, and how many more there are.
        """
        scan = self.scans[split]
        raise_first(scan.problems)
        return scan.samples

    @cached_property
    def file_list_hash(self) -> str:
        """The hash a card compares with: what is there, by name, in the splits with a list."""
        return file_list_hash(
            f"{self.card.folders[split]}/{sample.name}"
            for split in self.card.listed_splits
            for sample in self.scans[split].samples
        )

    @cached_property
    def data_hash(self) -> str:
        """The hash a record carries: what is there, byte by byte."""
        samples = [s for scan in self.scans.values() for s in scan.samples]
        images = (p for s in samples for p in s.paths.values())
        return content_hash(self.root, [*images, *self.loader.described_by])

    @cached_property
    def made_like(self) -> str | None:
        """What a drawn folder imitates, read off its maker's mark; None for a real set."""
        mark = self._mark("SYNTHETIC.json")
        return None if mark is None else str(mark.get("name", "unknown"))

    @cached_property
    def made_from(self) -> dict[str, Any] | None:
        """How a set was reconstructed from another, by its mark; None for one as released."""
        return self._mark("RECONSTRUCTED.json")

    def _mark(self, name: str) -> dict[str, Any] | None:
        # A loader may work in a folder inside the one that was made.
        for folder in (self.root, self.root.parent):
            try:
                mark = json.loads((folder / name).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            return mark if isinstance(mark, dict) else {}
        return None

    @property
    def is_published(self) -> bool:
        """Whether this is the very list of files the card describes, and not drawn."""
        made = self.made_like is not None or self.made_from is not None
        return self.file_list_hash == self.card.file_list_hash and not made

    @property
    def label(self) -> str:
        """The name in tables and recipes: all but the very published list carry their hash.

        Where no list is published, nothing can be called a variant of it.
        """
        if self.card.embedded or self.is_published:
            return self.card.name
        kind = "" if self.card.file_list_hash is None else "-variant"
        if self.made_from is not None:
            kind = "-reconstructed"
        if self.made_like is not None:
            kind = "-synthetic"
        return f"{self.card.name}{kind}@{self.data_hash[:8]}"

    def summary(self) -> dict[str, Any]:
        """What a record says of the data."""
        return {
            "name": self.card.name,
            "label": self.label,
            "data_hash": self.data_hash,
            "file_list_hash": self.file_list_hash,
            "published_list": self.is_published,
            "made_like": self.made_like,
            "made_from": self.made_from,
            "accepted_variant": accepted(self),
            "counts": {split: counts(scan.samples) for split, scan in self.scans.items()},
        }


def counts(samples: Iterable[Sample]) -> dict[str, int]:
    """Identities, samples and cameras of a split."""
    found = list(samples)
    return {
        "identities": len({s.pid for s in found}),
        "samples": len(found),
        "cameras": len({s.camid for s in found}),
    }


def raise_first(problems: tuple[DataError, ...]) -> None:
    """Raise the first problem, if any, saying how many more there are."""
    if not problems:
        return
    first = problems[0]
    if len(problems) > 1:
        first = type(first)(
            seen=f"{first.seen} (and {len(problems) - 1} more problems)",
            expected=first.expected,
            do=f"{first.do}; `harness data check FOLDER` lists them all",
        )
    raise first


def open_dataset(spec: str | None, plugins: Plugins) -> OpenDataset:
    """Open the data set that a word on the command line means.

    Args:
        spec: None for the embedded set; a known name, looked for in the usual places; or a
            folder or file, recognised by its layout.
        plugins: What is installed.

    Raises:
        UnknownNameError: Neither a known name nor a path.
        DatasetNotFoundError: A known set that is not on this machine, or a path of no layout.
    """
    cards = {name: load_card(info.card) for name, info in plugins.datasets.items()}
    if spec is None:
        return _open_embedded(cards, plugins)
    if spec in cards:
        card = cards[spec]
        if card.embedded:
            return _open_embedded({spec: card}, plugins)
        return _open(spec, card, find_root(card), plugins)
    place = Path(spec)
    if place.exists():
        return _recognise(place, cards, plugins)
    if place.name != spec or spec.startswith(".") or place.suffix:
        raise DatasetNotFoundError(
            seen=f"there is no {'file' if place.suffix else 'folder'} {spec}",
            expected="the root folder of a data set, a manifest, or a known name: "
            + ", ".join(sorted(cards)),
            do="check the path; relative paths start at the current folder",
        )
    raise UnknownNameError("data set", spec, cards)


def open_at(name: str, root: Path, plugins: Plugins) -> OpenDataset:
    """Open the data set `name` at `root`, whatever its layout looks like."""
    info = plugins.dataset(name)
    if not root.exists():
        raise DatasetNotFoundError(
            seen=f"there is no folder {root}",
            expected=f"the root of {name}",
            do="check the path after --root",
        )
    return _open(name, load_card(info.card), root, plugins)


def find_root(card: Card) -> Path:
    """Where the set is: under $HARNESS_DATA, ./data or the current folder.

    Raises:
        DatasetNotFoundError: In none of them; says every place and where to get the set.
    """
    bases = [Path(os.environ["HARNESS_DATA"])] if os.environ.get("HARNESS_DATA") else []
    places = [b / r for b in (*bases, Path("data"), Path()) for r in card.roots]
    for place in places:
        if place.exists():
            return place
    raise DatasetNotFoundError(
        seen=f"{card.title} is in none of: {', '.join(map(str, places))}",
        expected=f"a folder like this:\n{card.tree.rstrip()}",
        do=f"get it from {card.where} ({card.licence}), then set HARNESS_DATA to the folder above "
        "it or name the folder itself: --dataset FOLDER",
    )


def _open_embedded(cards: dict[str, Card], plugins: Plugins) -> OpenDataset:
    for name, card in cards.items():
        if not card.embedded:
            continue
        loader = load_target(plugins.datasets[name].target, f"the data set {name}")
        return _opened(loader(loader.ensure(cache_folder() / "embedded"), card))
    raise PluginError(
        seen="no installed data set is embedded",
        expected="the one that comes with the harness",
        do="install the harness again, or name a data set: --dataset NAME_OR_FOLDER",
    )


def _open(name: str, card: Card, root: Path, plugins: Plugins) -> OpenDataset:
    loader = load_target(plugins.datasets[name].target, f"the data set {name}")
    return _opened(loader(root, card))


def _opened(loader: Dataset) -> OpenDataset:
    return OpenDataset(loader.card, loader.root, loader)


def _recognise(place: Path, cards: dict[str, Card], plugins: Plugins) -> OpenDataset:
    # The published sets go first: a drawn folder in a published layout is read by that loader.
    for name, card in sorted(cards.items(), key=lambda item: item[1].embedded):
        loader = load_target(plugins.datasets[name].target, f"the data set {name}")
        if loader.recognises(place, card):
            found = _opened(loader(place, card))
            say(f"{place} is read as {card.name}: {card.title}")
            return found
    inside = f"it is a file of {place.stat().st_size:,} bytes"
    if place.is_dir():
        inside = "in it: " + (", ".join(sorted(p.name for p in place.iterdir())[:10]) or "nothing")
    layouts = "\n".join(
        f"  {card.title}: " + ", ".join(f"{f}/" for f in dict.fromkeys(card.folders.values()))
        for card in cards.values()
        if not card.embedded
    )
    raise DatasetNotFoundError(
        seen=f"{place} has no known layout; {inside}",
        expected=f"one of these layouts:\n{layouts}",
        do="name the root folder of a data set, the one that holds the folders above; "
        "`harness show dataset NAME` shows its whole tree",
    )
