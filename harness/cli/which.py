"""Which run a word on the command line means, and where its store is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from harness.errors import RecordError
from harness.files import STORE_VARIABLE
from harness.record import RunRecord
from harness.store import STORE_NAME, Store, open_store

# Fewer letters of a hash could be a run's id by chance.
_ROW_LETTERS = 8


class Asked(NamedTuple):
    """A run that was asked for."""

    path: Path
    """Of its `record.json`."""
    store: Store | None
    """The store that holds this very file; None for a run of elsewhere."""


def asked_run(word: str, out: Path) -> Asked:
    """The run of an id, a folder or a record's file.

    Raises:
        RecordError: A folder without a record, or an id whose files are gone.
        UnknownNameError: No such run, or several.
    """
    place = Path(word)
    if place.name == "record.json" or place.is_dir():
        path = place / "record.json" if place.is_dir() else place
        return Asked(path, _store_with(path, out))
    stored = open_store(out).get(word)
    if not stored.path.is_file():
        raise RecordError(
            seen=f"the record of run {stored.record.run_id} is not at {stored.path} any more",
            expected="the folder of the run, with its evidence",
            do="name the folder it is in now: harness verify FOLDER",
        )
    return Asked(stored.path, open_store(out))


def asked_row(word: str, out: Path) -> list[Asked]:
    """The runs of a row of the leaderboard, by the recipe's hash, or the one run that is meant.

    Raises:
        HarnessError: As `asked_run`.
    """
    if not Path(word).exists() and len(word) >= _ROW_LETTERS:
        store = open_store(out)
        row = [s for s in store.summaries() if s.recipe_hash.startswith(word)]
        if row:
            return [asked_run(s.run_id, out) for s in sorted(row, key=lambda s: s.seed)]
    return [asked_run(word, out)]


def shown_run(record: RunRecord) -> str:
    """A run in one line."""
    return (
        f"run {record.run_id}: {record.method} on {record.dataset_label}, {record.protocol_name}, "
        f"seed {record.seed}"
    )


def _store_with(path: Path, out: Path) -> Store | None:
    """The store in which this file is the run's, if any: a copy elsewhere changes no level."""
    if not (os.environ.get(STORE_VARIABLE) or (out / STORE_NAME).is_file()):
        return None
    store = open_store(out)
    known = any(s.path == path.resolve() for s in store.summaries())
    return store if known else None
