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
        by_folder = {f: self.loader.scan(s) for s, f in reversed(self.card.folders.items())}
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
        """The hash a card compares with: what is there, by name."""
        return file_list_hash(
            f"{self.card.folders[split]}/{sample.name}"
            for split, scan in self.scans.items()
            for sample in scan.samples
        )

    @cached_property
    def data_hash(self) -> str:
        """The hash a record carries: what is there, byte by byte."""
        samples = [s for scan in self.scans.values() for s in scan.samples]
        return content_hash(self.root, (p for s in samples for p in s.paths.values()))

    @cached_property
    def made_like(self) -> str | None:
        """What a drawn folder imitates, read off its maker's mark; None for a real set."""
        try:
            mark = json.loads((self.root / "SYNTHETIC.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return str(mark.get("name", "unknown")) if isinstance(mark, dict) else "unknown"

    @property
    def is_published(self) -> bool:
        """Whether this is the very list of files the card describes, and not drawn."""
        return self.file_list_hash == self.card.file_list_hash and self.made_like is None

    @property
    def label(self) -> str:
        """The name in tables and recipes: a variant carries its content's hash."""
        if self.card.embedded or self.is_published:
            return self.card.name
        kind = "synthetic" if self.made_like is not None else "variant"
        return f"{self.card.name}-{kind}@{self.data_hash[:8]}"

    def summary(self) -> dict[str, Any]:
        """What a record says of the data."""
        return {
            "name": self.card.name,
            "label": self.label,
            "data_hash": self.data_hash,
            "file_list_hash": self.file_list_hash,
            "published_list": self.is_published,
            "made_like": self.made_like,
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
            folder, recognised by its layout.
        plugins: What is installed.

    Raises:
        UnknownNameError: Neither a known name nor a folder.
        DatasetNotFoundError: A known set that is not on this machine, or a folder of no layout.
    """
    cards = {name: load_card(info.card) for name, info in plugins.datasets.items()}
    if spec is None:
        return _open_embedded(cards, plugins)
    if spec in cards:
        card = cards[spec]
        if card.embedded:
            return _open_embedded({spec: card}, plugins)
        return _open(spec, card, find_root(card), plugins)
    folder = Path(spec)
    if folder.is_dir():
        return _recognise(folder, cards, plugins)
    if folder.name != spec or spec.startswith("."):
        raise DatasetNotFoundError(
            seen=f"there is no folder {spec}",
            expected="the root folder of a data set, or a known name: " + ", ".join(sorted(cards)),
            do="check the path; relative paths start at the current folder",
        )
    raise UnknownNameError("data set", spec, cards)


def open_at(name: str, root: Path, plugins: Plugins) -> OpenDataset:
    """Open the data set `name` in the folder `root`, whatever its layout looks like."""
    info = plugins.dataset(name)
    if not root.is_dir():
        raise DatasetNotFoundError(
            seen=f"there is no folder {root}",
            expected=f"the root folder of {name}",
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
        if place.is_dir():
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
        root: Path = loader.ensure(cache_folder() / "embedded")
        return OpenDataset(card, root, loader(root, card))
    raise PluginError(
        seen="no installed data set is embedded",
        expected="the one that comes with the harness",
        do="install the harness again, or name a data set: --dataset NAME_OR_FOLDER",
    )


def _open(name: str, card: Card, root: Path, plugins: Plugins) -> OpenDataset:
    loader = load_target(plugins.datasets[name].target, f"the data set {name}")
    return OpenDataset(card, root, loader(root, card))


def _recognise(folder: Path, cards: dict[str, Card], plugins: Plugins) -> OpenDataset:
    # The published sets go first: a drawn folder in a published layout is read by that loader.
    for name, card in sorted(cards.items(), key=lambda item: item[1].embedded):
        loader = load_target(plugins.datasets[name].target, f"the data set {name}")
        if loader.recognises(folder, card):
            found = OpenDataset(card, folder, loader(folder, card))
            say(f"{folder} has the layout of {card.title}")
            return found
    inside = ", ".join(sorted(p.name for p in folder.iterdir())[:10]) or "nothing"
    trees = "\n".join(c.tree.strip("\n") for c in cards.values() if not c.embedded)
    raise DatasetNotFoundError(
        seen=f"{folder} has no known layout; in it: {inside}",
        expected=f"one of these layouts:\n{trees}",
        do="name the root folder of a data set, the one that holds the folders above",
    )
