"""Which run a word on the command line means, and where its store is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from harness.base.errors import RecordError
from harness.base.files import STORE_VARIABLE
from harness.base.progress import say
from harness.evidence.record import RunRecord
from harness.store import STORE_NAME, Store, open_store
from harness.verify import Check

# Fewer letters of a hash could be a run's id by chance.
_ROW_LETTERS = 8


class Kept(NamedTuple):
    """A run as the store that holds this very file knows it."""

    store: Store
    run_id: str

    def check(self, record: RunRecord) -> Check:
        """That the file still is the run that the store has."""
        wrong = f"the store has run {self.run_id} here, the file is run {record.run_id}"
        return Check("store", "" if record.run_id == self.run_id else wrong)


class Asked(NamedTuple):
    """A run that was asked for."""

    path: Path
    """Of its `record.json`."""
    kept: Kept | None
    """Where its level is kept; None for a run of elsewhere."""


def asked_run(word: str, out: Path) -> Asked:
    """The run of an id, a folder or a record's file.

    Raises:
        RecordError: A folder without a record, or an id whose files are gone.
        UnknownNameError: No such run, or several.
    """
    place = Path(word)
    if place.name == "record.json" or place.is_dir():
        path = _record_in(place) if place.is_dir() else place
        kept = _kept(path, out)
        if kept is None:
            say(f"reading {path.resolve().parent}")
        else:
            kept.store.places.say_read(path.resolve())
        return Asked(path, kept)
    store = open_store(out)
    stored = store.get(word)
    store.places.say_read(stored.path)
    if not stored.path.is_file():
        raise RecordError(
            seen=f"the record of run {stored.record.run_id} is not at {stored.path} any more",
            expected="the folder of the run, with its evidence",
            do="name the folder it is in now: harness verify FOLDER",
        )
    return Asked(stored.path, Kept(store, stored.record.run_id))


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


def _record_in(folder: Path) -> Path:
    """The record of a run's folder, or of the only run of an --out folder."""
    if (folder / "record.json").is_file():
        return folder / "record.json"
    found = sorted(folder.glob("*/*/record.json"))
    if len(found) == 1:
        return found[0]
    raise RecordError(
        seen=f"{folder} is the folder of {len(found)} runs",
        expected="the folder of one run, with its record.json",
        do="name one by its id: harness list runs"
        + (f"; pytest --harness-verify {folder} checks them all" if found else ""),
    )


def _kept(path: Path, out: Path) -> Kept | None:
    """The store in which this file is a run's, if any: a copy elsewhere changes no level."""
    stores = [open_store(out)] if os.environ.get(STORE_VARIABLE) else []
    if not stores:
        # A run's own --out folder, where it is not the one of this command.
        around = [folder for folder in path.resolve().parents[2:4] if folder != out.resolve()]
        places = [folder for folder in (out, *around) if (folder / STORE_NAME).is_file()]
        stores = [open_store(place) for place in places]
    for store in stores:
        known = store.at(path)
        if known is not None:
            return Kept(store, known)
    return None
