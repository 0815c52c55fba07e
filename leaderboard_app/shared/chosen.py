"""Which table a page is about: one data set and protocol, one pair of hashes."""

from __future__ import annotations

import streamlit as st

from harness.base.errors import HarnessError
from harness.board import BoardTable
from leaderboard_app.shared.address import asked, choice, put
from leaderboard_app.shared.data import snapshot
from leaderboard_app.shared.links import DATASET, PROTOCOL
from leaderboard_app.shared.states import show_error, show_nothing

HASHES = "hashes"


def chosen_table() -> BoardTable | None:
    """The controls for data set, protocol and hashes, and the table they leave.

    None when there is nothing to choose or the store cannot be read; the page says so.
    """
    try:
        tables = snapshot().tables
    except HarnessError as error:
        show_error(error)
        return None
    if not tables:
        show_nothing("No runs and no published numbers", "run", "--method", "ieee")
        return None
    left, right, more = st.columns([1, 1, 2])
    with left:
        dataset = choice("Data set", _datasets(tables), DATASET, _default(tables).dataset)
    here = [t for t in tables if t.dataset == dataset]
    with right:
        protocols = list(dict.fromkeys(t.protocol for t in _fullest(here)))
        protocol = choice("Protocol", protocols, PROTOCOL)
    found = [t for t in here if t.protocol == protocol]
    if len(found) == 1:
        return found[0]
    with more:
        names = {hashes_of(t): t for t in _fullest(found)}
        words = "Data and protocol, by hash: different ones do not compare"
        return names[choice(words, list(names), HASHES)]


def hashes_of(table: BoardTable) -> str:
    """The first digits of a table's two hashes."""
    return f"{table.data_hash[:8]} · {table.protocol_hash[:8]}"


def forget_choice() -> None:
    """Let the page choose the data set, protocol and hashes again."""
    for name in (DATASET, PROTOCOL, HASHES):
        if asked(name) is not None:
            put(name, None)


def _datasets(tables: tuple[BoardTable, ...]) -> list[str]:
    return list(dict.fromkeys(t.dataset for t in _fullest(list(tables))))


def _default(tables: tuple[BoardTable, ...]) -> BoardTable:
    """What a visitor sees first: the table with most rows."""
    return _fullest(list(tables))[0]


def _fullest(tables: list[BoardTable]) -> list[BoardTable]:
    return sorted(tables, key=lambda t: (-len(t.rows), t.title))
