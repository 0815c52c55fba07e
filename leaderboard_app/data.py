"""The records of a folder, read again only when its store has changed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from harness.board import BoardTable, board
from harness.store import STORE_NAME, Stored, open_store

_Stamp = tuple[int, int] | None


class Runs(NamedTuple):
    """What the page shows: every record by run id, and the tables they make."""

    folder: Path
    stored: dict[str, Stored]
    tables: list[BoardTable]


def load(folder: Path) -> Runs:
    """Read the records of an --out folder.

    Raises:
        HarnessError: The folder or its store cannot be read.
    """
    store = folder / STORE_NAME
    if folder.is_dir() and not store.exists():
        # Opening the store would make it; looking at a folder must not change it.
        return Runs(folder, {}, [])
    return _read(str(folder), _stamp(store))


def _stamp(file: Path) -> _Stamp:
    """Changes when the store does."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


# Records are frozen, so sessions share one copy.
@st.cache_resource(max_entries=2, show_spinner="Reading the records")
def _read(folder: str, stamp: _Stamp) -> Runs:
    path = Path(folder)
    stored = open_store(path).all()
    by_id = {one.record.run_id: one for one in stored}
    return Runs(path, by_id, board(one.record for one in stored))
