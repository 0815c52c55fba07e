"""Runs as a person names them: an id, a folder, or several seeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.base.errors import RecordError
from harness.base.progress import say

if TYPE_CHECKING:
    from harness.store import Store, Stored


def opened(out: Path) -> Store:
    """The store of an --out folder, or the one named; a line says which.

    Raises:
        StoreError: It cannot be opened.
    """
    from harness.store import open_store

    store = open_store(out)
    say(f"reading the store {store.database}")
    return store


def named_runs(word: str, store: Store) -> list[Stored]:
    """The runs of one word: ids and folders, several with commas between them.

    A folder is a run's (it holds record.json) or a recipe's (its runs, seed by seed). An id may be
    cut short.

    Raises:
        RecordError: A record that was edited.
        UnknownNameError: Neither a folder with records nor the beginning of one id.
    """
    return [run for part in word.split(",") if part for run in _named(part, store)]


def _named(word: str, store: Store) -> list[Stored]:
    folder = Path(word)
    if folder.name == "record.json":
        folder = folder.parent
    files = [folder / "record.json"]
    if not files[0].is_file():
        files = sorted(folder.glob("*/record.json"), key=lambda f: (len(f.parent.name), f))
    return [_from_file(file, store) for file in files] if files else [store.get(word)]


def _from_file(path: Path, store: Store) -> Stored:
    from harness.evidence.record import read_record, record_id
    from harness.store import Stored

    record = read_record(path)
    if record.run_id != record_id(record):
        raise RecordError(
            seen=f"{path} was edited: its id is not the hash of its contents",
            expected="a record as the harness wrote it",
            do="restore the file, or run again",
        )
    known = store.trust_of(record.run_id)
    return Stored(record, path, known.trust) if known else Stored(record, path)
