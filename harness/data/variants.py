"""A set that is not the published one: what differs, and a person's word that it is meant so."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.base.files import cache_folder, write_json
from harness.data.opened import OpenDataset, counts
from harness.spec.dataset import SPLITS


def differences(data: OpenDataset) -> list[str]:
    """How the files differ from the published list, a line each; empty for the published set.

    A card holds the list's hash and its counts, not the list, so counts are what can be named.
    """
    if data.file_list_hash == data.card.file_list_hash:
        return []
    lines = []
    for split in SPLITS:
        expected = data.card.counts.get(split)
        if expected is None:
            continue
        found = counts(data.scans[split].samples)
        for what, number in expected.model_dump().items():
            if found[what] != number:
                lines.append(f"{split}: {found[what]} {what} of {number}")
    if not lines and data.card.file_list_hash is not None:
        lines.append("the counts are the published ones, so some files have other names")
    return lines


def is_variant(data: OpenDataset) -> bool:
    """Whether this is a real set whose list is known to differ from the published one."""
    return not data.card.embedded and data.made_like is None and bool(differences(data))


def accept(data: OpenDataset) -> Path:
    """Keep a note that this list of files is meant as it is, and what differs.

    Raises:
        DiskFullError: The note cannot be written.
    """
    path = _note(data)
    write_json(
        path,
        {
            "dataset": data.card.name,
            "file_list_hash": data.file_list_hash,
            "published_file_list_hash": data.card.file_list_hash,
            "data_hash": data.data_hash,
            "differs": differences(data),
            "accepted": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )
    return path


def accepted(data: OpenDataset) -> dict[str, Any] | None:
    """The note about this very list of files, or None; a damaged note is none."""
    if not is_variant(data):
        return None
    try:
        note = json.loads(_note(data).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(note, dict) and note.get("file_list_hash") == data.file_list_hash
    return note if same else None


def data_summary(data: OpenDataset) -> dict[str, Any]:
    """What a record says of the data."""
    return {
        "name": data.card.name,
        "label": data.label,
        "data_hash": data.data_hash,
        "file_list_hash": data.file_list_hash,
        "published_list": data.is_published,
        "made_like": data.made_like,
        "made_from": data.made_from,
        "accepted_variant": accepted(data),
        "counts": {split: counts(scan.samples) for split, scan in data.scans.items()},
        # Only where something was decided, so that records of plain files stay as they were.
        **({"pixels": list(data.pixels)} if data.pixels else {}),
        **(_said(data) if data.captioned else {}),
    }


def _said(data: OpenDataset) -> dict[str, Any]:
    """What a record says of captions: they are in its data hash, the images' own is beside it."""
    samples = {s.name: s for scan in data.scans.values() for s in scan.samples}
    images = [(name, m) for name, sample in samples.items() for m in sample.paths]
    captioned = sum(bool(data.said.of(*image)) for image in images)
    about = {"hash": data.said.hash, "images": len(images), "captioned": captioned}
    return {"pictures_hash": data.pictures_hash, "captions": about}


def _note(data: OpenDataset) -> Path:
    return cache_folder() / "accepted" / f"{data.card.name}-{data.file_list_hash[:16]}.json"
