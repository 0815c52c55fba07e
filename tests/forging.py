"""What a forger would do to a run: change a file, then mend every hash that would tell."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from harness.base.hashing import digest, file_digest
from harness.evidence.features_file import read_own
from harness.evidence.record import RunRecord, record_id
from harness.evidence.written import inputs_of
from harness.runs.evaluation import evaluate, scored
from harness.runs.pipeline import _write_ranks
from harness.spec.protocol import BoundProtocol

Arrays = dict[str, Any]


def folder_of(out: Path) -> Path:
    """The folder of the one run under an --out folder."""
    return next(out.glob("*/*/record.json")).parent


def edit(folder: Path, change: dict[str, Any], mended: bool = True) -> None:
    """Change fields of the record; mended, its id is made to fit."""
    path = folder / "record.json"
    record = json.loads(path.read_text()) | change
    if mended:
        record["run_id"] = record_id(RunRecord.model_validate(record))
    path.write_text(json.dumps(record))


def said(folder: Path, field: str) -> Any:
    """What the record says now."""
    return json.loads((folder / "record.json").read_text())[field]


def rewrite(folder: Path, name: str, change: Callable[[Arrays], None]) -> None:
    """Change an npz file, then its hash in the record and the record's id."""
    path = folder / name
    arrays = dict(np.load(path))
    change(arrays)
    np.savez(path, **arrays)
    mend_hashes(folder)


def mend_hashes(folder: Path) -> None:
    """Make every hash of the record fit what is there."""
    evidence = said(folder, "evidence")
    for one in evidence.values():
        one["sha256"] = file_digest(folder / one["file"])
    edit(folder, {"evidence": evidence})
    record = RunRecord.model_validate(json.loads((folder / "record.json").read_text()))
    edit(folder, {"inputs_hash": digest(inputs_of(record))})


def recount(folder: Path) -> None:
    """Make every number of the record and `ranks.npz` follow from the features that are there."""
    sides = read_own(folder / "features.npz")
    found = evaluate(*sides, BoundProtocol.model_validate(said(folder, "protocol")))
    _write_ranks(folder / "ranks.npz", found)
    edit(folder, json.loads(json.dumps(scored(found, sides[0]))))
    mend_hashes(folder)


def zipped(folder: Path, to: Path) -> Path:
    """An archive of a folder, with no check of what is in it."""
    with zipfile.ZipFile(to, "w") as archive:
        for name in ("record.json", "features.npz", "ranks.npz", "train.jsonl"):
            archive.write(folder / name, name)
        archive.writestr("recipe.json", json.dumps(said(folder, "recipe")))
    return to
