"""What a data set should hold beside what it holds, file by file."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from harness.data.images import read_image
from harness.data.open import OpenDataset, counts
from harness.dataset import SPLITS
from harness.errors import DataError, IdentityLeakError
from harness.progress import progress


def check(data: OpenDataset) -> dict[str, Any]:
    """Look at every name and open every image; nothing is raised, all is reported.

    Returns:
        `ok`, `splits` (expected and found counts, images by modality), `problems` (a list of
        kind / seen / expected / do), `file_list_hash`, `expected_file_list_hash`, `published_list`.
    """
    problems: list[DataError] = []
    for split in dict.fromkeys(_first_split(data).values()):
        problems += data.scans[split].problems
    problems += _leak(data)
    problems += _unreadable(data)
    return {
        "ok": not problems,
        "dataset": data.card.name,
        "label": data.label if not problems else data.card.name,
        "root": str(data.root),
        "splits": {split: _row(data, split) for split in SPLITS},
        "problems": [p.as_dict() for p in problems],
        "file_list_hash": data.file_list_hash,
        "expected_file_list_hash": data.card.file_list_hash,
        "published_list": data.is_published,
        "made_like": data.made_like,
    }


def _first_split(data: OpenDataset) -> dict[str, Any]:
    """One split for each folder: query and gallery may share theirs."""
    return {folder: split for split, folder in reversed(data.card.folders.items())}


def _row(data: OpenDataset, split: Any) -> dict[str, Any]:
    samples = data.scans[split].samples
    expected = data.card.counts.get(split)
    return {
        "folder": data.card.folders[split],
        "found": counts(samples),
        "expected": expected.model_dump() if expected else None,
        "images": {m: sum(m in s.paths for s in samples) for m in data.card.modalities},
    }


def _leak(data: OpenDataset) -> list[DataError]:
    train = {s.pid for s in data.scans["train"].samples}
    test = {s.pid for split in SPLITS[1:] for s in data.scans[split].samples}
    if not train & test:
        return []
    return [
        IdentityLeakError(
            seen=f"{len(train & test)} identities are in train and in test: "
            f"{sorted(train & test)[:6]}",
            expected="test identities that training has never seen",
            do="remove these identities from one of the two splits",
        )
    ]


def _unreadable(data: OpenDataset) -> list[DataError]:
    paths = {p for scan in data.scans.values() for s in scan.samples for p in s.paths.values()}
    with (
        progress("opening every image", len(paths)) as advance,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        found: list[DataError] = []
        for problem in pool.map(_problem, sorted(paths)):
            found += [problem] if problem else []
            advance(1)
    return found


def _problem(path: Path) -> DataError | None:
    try:
        read_image(path)
    except DataError as error:
        return error
    return None
