"""Giving records out: each with its evidence, and with what was found out about it since."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from harness.evidence import evaluations
from harness.evidence.record import write_record
from harness.evidence.written import MAY_BE_ELSEWHERE as WEIGHTS
from harness.store.core import Store
from harness.store.upkeep import Problem


class Exported(NamedTuple):
    """What an export wrote: ids of runs, and evidence that is not on this machine."""

    records: tuple[str, ...]
    missing: tuple[Problem, ...]


def export_records(store: Store, folder: Path) -> Exported:
    """Write every record with its evidence to `folder`/ID/; what is there already stays.

    What a run's weights scored under further protocols goes with it.

    Evidence is linked where the file system can, so that it takes no space twice.
    """
    done, missing = [], []
    for stored in store.all():
        record, place = stored.record, folder / stored.record.run_id
        if not (place / "record.json").exists():
            write_record(place / "record.json", record)
        for name, evidence in record.evidence.items():
            problem = _linked(stored.path.parent, place, evidence.file)
            if problem:
                missing.append(Problem(record.run_id, f"evidence {name}", problem))
        weights = record.evidence.get(WEIGHTS)
        if weights:
            evaluations.copy(stored.path.parent, place, weights.sha256)
        done.append(record.run_id)
    return Exported(tuple(done), tuple(missing))


def _linked(source: Path, target: Path, name: str) -> str:
    """Put a file of a run beside its exported record; what is wrong, or nothing."""
    # A record from elsewhere may name any path; only files beside it are its evidence.
    if Path(name).name != name:
        return f"{name!r} is not a file name beside the record"
    file, place = source / name, target / name
    if not file.is_file():
        return f"there is no {file}"
    if not place.exists():
        try:
            os.link(file, place)
        except OSError:
            shutil.copyfile(file, place)
    return ""
