"""From a name or a folder to an open data set."""

from __future__ import annotations

import os
from pathlib import Path

from harness.base.errors import DatasetNotFoundError, PluginError, UnknownNameError
from harness.base.files import cache_folder
from harness.base.progress import say
from harness.data.opened import OpenDataset
from harness.spec.dataset import Card, Dataset, load_card
from harness.spec.plugins import Plugins, load_target


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
    card = load_card(info.card)
    return _open(name, card, _manifest_in(root, card) or root, plugins)


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
    tested = _by_its_test_part(place, cards, plugins)
    if tested is not None:
        return tested
    for name, card in cards.items():
        manifest = _manifest_in(place, card)
        if manifest is not None:
            say(f"{place} is read as {card.name}, by its {manifest.name}")
            return _open(name, card, manifest, plugins)
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


def _by_its_test_part(place: Path, cards: dict[str, Card], plugins: Plugins) -> OpenDataset | None:
    """A published set without its train split, which is enough to evaluate."""
    fits: list[OpenDataset] = []
    for name, card in cards.items():
        loader = load_target(plugins.datasets[name].target, f"the data set {name}")
        test = {**card.folders, "train": card.folders["gallery"]}
        if loader.recognises(place, card.model_copy(update={"folders": test})):
            fits.append(_opened(loader(place, card)))
    # Sets may share their folders' names; the names of the files tell.
    whole = [data for data in fits if data.only_test and not data.scans["query"].problems]
    for data in whole[:1]:
        say(f"{place} is read as {data.card.name}, its test part alone: {data.card.title}")
    return whole[0] if whole else None


def _manifest_in(place: Path, card: Card) -> Path | None:
    """The file that describes a set, where its card names one and the folder has it."""
    files = (place / root for root in card.roots if Path(root).suffix)
    return next((file for file in files if file.is_file()), None)
