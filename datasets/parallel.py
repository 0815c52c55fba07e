"""The layout of three parallel folders, RGB, NI and TI, with the same file name in each."""

from __future__ import annotations

from pathlib import Path

from harness.base.errors import DataError, LayoutError
from harness.spec.dataset import Card, Sample, Scan, Split
from harness.spec.modality import Modality
from reid_datasets.scanning import entries, incomplete, sample_of


def is_parallel(root: Path, card: Card) -> bool:
    """Whether every split's folder is there with at least one modality folder in it."""
    folders = set(card.folders.values())
    return all(any((root / f / m).is_dir() for m in card.modalities) for f in folders)


def scan_parallel(root: Path, card: Card, split: Split) -> Scan:
    """Find a split's samples and everything wrong with its names and folders.

    Files of the card's `junk_pids` are left out, paired or not.
    """
    folder = root / card.folders[split]
    problems: list[DataError] = []
    names: dict[str, dict[Modality, Path]] = {}
    for modality in card.modalities:
        found = entries(folder / modality, card)
        if isinstance(found, LayoutError):
            problems.append(found)
            continue
        for path in found:
            names.setdefault(path.name, {})[modality] = path
    # One missing folder would repeat itself as a missing file for every sample.
    whole = not problems
    samples: list[Sample] = []
    for name in sorted(names):
        paths = names[name]
        sample = sample_of(name, paths, card)
        if not isinstance(sample, Sample):
            problems.append(sample)
        elif sample.pid not in card.junk_pids:
            lacking = {m: folder / m / name for m in card.modalities if m not in paths}
            if whole and lacking:
                problems.append(incomplete(name, paths, lacking))
            samples.append(sample)
    return Scan(tuple(samples), tuple(problems))
