"""The layout of three parallel folders, RGB, NI and TI, with the same file name in each."""

from __future__ import annotations

import re
from pathlib import Path

from harness.dataset import Card, Sample, Scan, Split
from harness.errors import (
    DataError,
    FileNameError,
    IncompleteTripletError,
    LayoutError,
)
from harness.modality import Modality

# What extractors and file browsers leave behind; never part of a data set.
_IGNORED = re.compile(r"^(\._.*|\.DS_Store|Thumbs\.db|desktop\.ini)$")


def is_parallel(root: Path, card: Card) -> bool:
    """Whether every split's folder is there with at least one modality folder in it."""
    folders = set(card.folders.values())
    return all(any((root / f / m).is_dir() for m in card.modalities) for f in folders)


def scan_parallel(root: Path, card: Card, split: Split) -> Scan:
    """Find a split's samples and everything wrong with its names and folders.

    The card's grammar has the named groups `pid` and `cam` (1-based; camid is cam - 1) and, where
    the set has scenes, `scene`.
    """
    folder = root / card.folders[split]
    problems: list[DataError] = []
    names: dict[str, dict[Modality, Path]] = {}
    for modality in card.modalities:
        found = _files(folder / modality, card)
        if isinstance(found, LayoutError):
            problems.append(found)
            continue
        for path in found:
            names.setdefault(path.name, {})[modality] = path
    # One missing folder would repeat itself as a missing file for every sample.
    whole = not problems
    samples = []
    for name in sorted(names):
        paths = names[name]
        match = re.match(card.grammar, name)
        if match is None:
            problems.append(_bad_name(next(iter(paths.values())), card))
            continue
        if whole and len(paths) < len(card.modalities):
            problems.append(_incomplete(name, folder, paths, card))
        parts = match.groupdict()
        scene = int(parts["scene"]) if parts.get("scene") is not None else None
        samples.append(Sample(name, int(parts["pid"]), int(parts["cam"]) - 1, scene, paths))
    return Scan(tuple(samples), tuple(problems))


def _files(folder: Path, card: Card) -> list[Path] | LayoutError:
    if not folder.is_dir():
        inside = sorted(p.name for p in folder.parent.iterdir()) if folder.parent.is_dir() else []
        return LayoutError(
            seen=f"there is no folder {folder}; beside it are: {', '.join(inside[:8]) or 'none'}",
            expected=f"{card.title} as published:\n{card.tree.rstrip()}",
            do=f"unpack or link the folder {folder.name}, or name the right root; see: "
            f"harness show dataset {card.name}",
        )
    files = [p for p in sorted(folder.iterdir()) if not _IGNORED.match(p.name)]
    if not files:
        return LayoutError(
            seen=f"the folder {folder} is empty",
            expected=f"images named {card.grammar_words}",
            do="unpack the archive again; this folder was left without files",
        )
    return files


def _bad_name(path: Path, card: Card) -> FileNameError:
    return FileNameError(
        seen=f"the file name {path.name} in {path.parent}",
        expected=f"{card.grammar_words} ({card.grammar})",
        do=f"rename or move the file away: {path}",
    )


def _incomplete(
    name: str, folder: Path, paths: dict[Modality, Path], card: Card
) -> IncompleteTripletError:
    missing = [m for m in card.modalities if m not in paths]
    where = ", ".join(str(folder / m / name) for m in missing)
    return IncompleteTripletError(
        seen=f"{name} has {'+'.join(paths)} but no {' and no '.join(missing)}",
        expected=f"a file {where}",
        do="restore the file from the archive, or remove the sample's other images",
    )
