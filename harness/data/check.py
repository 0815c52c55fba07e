"""What a data set should hold beside what it holds, file by file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.base.errors import DataError, HarnessError
from harness.data.captioned import Coverage, coverage
from harness.data.contents import read_contents, relative, unreadable
from harness.data.depth import depth_findings
from harness.data.duplicates import Contents, Copies, copy_findings, find_copies, modality_findings
from harness.data.finding import Finding
from harness.data.images import read_sample
from harness.data.lint_rules import leaks
from harness.data.opened import OpenDataset, counts
from harness.data.variants import accepted, differences
from harness.spec.dataset import SPLITS, Sample, Split


def check(data: OpenDataset, reread: bool = False) -> dict[str, Any]:
    """Look at every name and open every image; nothing is raised, all is reported.

    Args:
        data: The data set.
        reread: Read every byte again, whatever is remembered of the files.

    Returns:
        `ok`: no problem, warnings aside. `splits`: expected and found counts, images by modality,
        how many each modality lacks, and samples of one image only. `problems` and `warnings`:
        lists of kind / seen / expected / do. `notes`: what the loader passed over or derived, and
        how files are read that are not plain 8 bits.
        `copies`: groups of files with the same bytes under different names.
        `captions`: what is said of the images and of how many, or None.
        `file_list_hash`, `expected_file_list_hash`, `published_list`, `differs` (from the
        published list, in words), `accepted` (the note of --accept-variant, or None), `made_like`.

    Raises:
        DiskFullError: What was read cannot be remembered.
    """
    splits = {split: data.scans[split].samples for split in SPLITS}
    unique = _unique(data, splits)
    files = (p for s in unique for p in s.paths.values())
    contents = read_contents(data.root, files, open_images=True, reread=reread)
    copies = find_copies(splits, contents)
    findings = leaks(splits["train"], splits["query"], splits["gallery"], data.card.known_leaks)
    findings += copy_findings(copies) + modality_findings(unique, contents)
    findings += depth_findings(unique, contents)
    problems: list[HarnessError] = []
    said, damaged = _captions(data)
    for split in dict.fromkeys(_first_split(data).values()):
        problems += data.scans[split].problems
    problems += [f.as_error() for f in findings if f.severity == "error" and _is_leak(f)]
    problems += unreadable(contents, data.spans) + _uncuttable(unique, contents)
    problems += [f.as_error() for f in findings if f.severity == "error" and not _is_leak(f)]
    problems += damaged
    return {
        "ok": not problems,
        "dataset": data.card.name,
        "label": data.label if not problems else data.card.name,
        "root": str(data.root),
        "splits": {split: _row(data, split) for split in SPLITS},
        "files": len(contents),
        "problems": [p.as_dict() for p in problems],
        "notes": [
            *dict.fromkeys(n for split in SPLITS for n in data.scans[split].notes),
            *data.pixels,
        ],
        "warnings": [_as_warning(f) for f in findings if f.severity != "error"],
        "copies": [_as_names(c, data.root) for c in copies],
        "file_list_hash": data.file_list_hash,
        "expected_file_list_hash": data.card.file_list_hash,
        "published_list": data.is_published,
        "differs": differences(data),
        "accepted": accepted(data),
        "made_like": data.made_like,
        "captions": None if said is None else said._asdict() | {"words": said.in_words()},
    }


def _captions(data: OpenDataset) -> tuple[Coverage | None, list[DataError]]:
    """What the captions come to, or what is wrong with their file."""
    try:
        return coverage(data), []
    except DataError as error:
        return None, [error]


def _is_leak(finding: Finding) -> bool:
    return finding.rule == "identity-leak"


def _unique(data: OpenDataset, splits: dict[Split, tuple[Sample, ...]]) -> list[Sample]:
    """Every sample once: query and gallery may share their folder."""
    chosen = _first_split(data)
    return [s for split in dict.fromkeys(chosen.values()) for s in splits[split]]


def _first_split(data: OpenDataset) -> dict[str, Split]:
    """One split for each folder."""
    return {folder: split for split, folder in reversed(data.card.folders.items())}


def _row(data: OpenDataset, split: Split) -> dict[str, Any]:
    samples, modalities = data.scans[split].samples, data.card.modalities
    expected = data.card.counts.get(split)
    single = sum(len(s.paths) == 1 for s in samples) if len(modalities) > 1 else 0
    return {
        "folder": data.card.folders[split],
        "found": counts(samples),
        "expected": expected.model_dump() if expected else None,
        "images": {m: sum(m in s.paths for s in samples) for m in modalities},
        "missing": {m: sum(m not in s.paths for s in samples) for m in modalities},
        "unpaired": single,
    }


def _uncuttable(samples: Sequence[Sample], contents: Contents) -> list[DataError]:
    """Strips whose width does not divide among their modalities; each is opened again."""
    found: list[DataError] = []
    for sample in samples:
        content = contents.get(next(iter(sample.paths.values()))) if sample.strip else None
        if content is not None and content.width % len(sample.strip):
            try:
                read_sample(sample, sample.strip[0])
            except DataError as error:
                found.append(error)
    return found


def _as_warning(finding: Finding) -> dict[str, str]:
    return {
        "kind": finding.rule,
        "seen": finding.seen,
        "expected": finding.expected,
        "do": finding.do,
    }


def _as_names(copies: Copies, root: Path) -> dict[str, Any]:
    return {
        "modality": copies.modality,
        "identities": sorted(set(copies.pids)),
        "files": [relative(path, root) for path in copies.files],
    }
