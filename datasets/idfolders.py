"""The layout of one folder for each identity, with vis, ni and th inside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from harness.base.errors import DataError, FileNameError, LayoutError
from harness.spec.dataset import Card, Sample, Scan
from harness.spec.modality import Modality
from reid_datasets.scanning import (
    bad_name,
    entries,
    incomplete,
    no_folder,
    passed_over,
    sample_of,
)

SUBFOLDERS: dict[Modality, str] = {"RGB": "vis", "NI": "ni", "TI": "th"}

_IDENTITY = re.compile(r"^\d{4}$", re.ASCII)


def is_id_folders(folder: Path) -> bool:
    """Whether a split's folder has an identity's folder with a modality's folder in it."""
    if not folder.is_dir():
        return False
    return any(
        _IDENTITY.match(place.name) and any((place / s).is_dir() for s in SUBFOLDERS.values())
        for place in folder.iterdir()
    )


def scan_id_folders(folder: Path, card: Card) -> Scan:
    """Find the samples of one split, paired by file name and never by position."""
    places = entries(folder, card)
    if isinstance(places, LayoutError):
        return Scan((), (places,))
    samples: list[Sample] = []
    problems: list[DataError] = []
    known: list[str] = []
    for place in places:
        if not place.is_dir():
            problems.append(bad_name(place, card))
        elif not _IDENTITY.match(place.name):
            problems.append(_bad_folder(place))
        else:
            for found in _identity(place, card):
                if isinstance(found, Sample):
                    samples.append(found)
                elif isinstance(found, str):
                    known.append(found)
                else:
                    problems.append(found)
    samples.sort(key=lambda s: s.name)
    return Scan(tuple(samples), tuple(problems), passed_over(known))


def _identity(place: Path, card: Card) -> Iterator[Sample | DataError | str]:
    """The samples of one identity, what is wrong, and names known to be incomplete."""
    names: dict[str, dict[Modality, Path]] = {}
    empty: list[Modality] = []
    for modality in card.modalities:
        found = entries(place / SUBFOLDERS[modality], card)
        if isinstance(found, LayoutError):
            empty.append(modality)
            continue
        for path in found:
            names.setdefault(path.name, {})[modality] = path
    missed = False
    for name, paths in sorted(names.items()):
        lacking = {m: place / SUBFOLDERS[m] / name for m in card.modalities if m not in paths}
        if lacking and name in card.known_incomplete:
            yield name
            continue
        sample = sample_of(name, paths, card)
        if isinstance(sample, Sample) and sample.pid != int(place.name):
            yield _misplaced(next(iter(paths.values())), place)
            continue
        yield sample
        # A missing folder is said once, not for each file that should be in it.
        if set(lacking) - set(empty):
            yield incomplete(name, paths, lacking)
        missed = missed or bool(set(lacking) & set(empty))
    if missed or not names:
        yield from (_empty(place / SUBFOLDERS[m], card) for m in empty)


def _empty(folder: Path, card: Card) -> LayoutError:
    found = entries(folder, card)
    return found if isinstance(found, LayoutError) else no_folder(folder, card)


def _bad_folder(place: Path) -> FileNameError:
    return FileNameError(
        seen=f"the folder name {place.name} in {place.parent}",
        expected="a folder for each identity, named by four digits",
        do=f"rename or move the folder away: {place}",
    )


def _misplaced(path: Path, place: Path) -> FileNameError:
    return FileNameError(
        seen=f"{path.name} in the folder of identity {place.name}",
        expected=f"names that begin with {place.name}",
        do=f"move the file to its identity's folder: {path}",
    )
