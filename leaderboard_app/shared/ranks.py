"""Ranks of tables: computed beside the page, once for the runs they rest on, for all sessions."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

import streamlit as st

from harness.base.errors import HarnessError
from harness.base.hashing import digest
from harness.board import BoardRow, BoardTable, rank_table, row_interval
from leaderboard_app.shared.data import per_query
from leaderboard_app.shared.settings import Settings, read_settings
from leaderboard_app.shared.text import literal

PATIENCE = 0.15
"""Seconds that a page waits for ranks before it shows a table without them."""


class _Ranks:
    """What the comparisons add to a table; nothing else of its rows counts, for it may change."""

    def __init__(self, found: BoardTable) -> None:
        self._resolution = found.resolution
        self._rows = {row.run_ids: row for row in found.runs}
        self._last: tuple[BoardTable, BoardTable] | None = None

    def on(self, table: BoardTable) -> BoardTable:
        """The table with its ranks; sessions that show the same one share the rows."""
        last = self._last
        if last is None or last[0] is not table:
            rows = tuple(_with_ranks(row, self._rows.get(row.run_ids)) for row in table.rows)
            self._last = last = table, table._replace(resolution=self._resolution, rows=rows)
        return last[1]


def ready(table: BoardTable) -> bool:
    """Whether the ranks are known, now or in a moment; if not, they are being computed."""
    return not table.runs or bool(wait([_asked(table)], PATIENCE).done)


def ranked(table: BoardTable) -> BoardTable:
    """The table with ranks, ties, resolution, and intervals of rows with several seeds.

    Without them where the store cannot be read any more; the page says so.
    """
    if not table.runs:
        return table
    asked = _asked(table)
    try:
        if asked.done():
            return asked.result().on(table)
        with st.spinner("Comparing the rows with each other"):
            return asked.result().on(table)
    except HarnessError as error:
        # A store that was locked for a moment must not be without ranks for ever.
        _ranks.clear(read_settings(), _key(table))
        st.warning(f"The rows cannot be ranked: {literal(error.seen)}.")
        return table


def interval_of(row: BoardRow, metric: str) -> tuple[float, float] | None:
    """A row's interval, computed where it has several seeds; no other row is looked at."""
    if len(row.run_ids) == 1:
        return row.intervals.get(metric)
    return _interval(read_settings(), row.outcome_ids, metric, row)


def _with_ranks(row: BoardRow, found: BoardRow | None) -> BoardRow:
    if found is None:
        return row
    # What the row says now counts: a check may have changed its trust since.
    return row._replace(rank=found.rank, tie_group=found.tie_group, intervals=found.intervals)


def _asked(table: BoardTable) -> Future[_Ranks]:
    return _ranks(read_settings(), _key(table), table)


def _key(table: BoardTable) -> str:
    """What the ranks rest on: a record never changes, so its id says everything."""
    return digest([row.outcome_ids for row in table.runs])


@st.cache_resource(max_entries=64, show_spinner=False)
def _ranks(settings: Settings, key: str, _table: BoardTable) -> Future[_Ranks]:
    return _worker().submit(_computed, _table, settings)


def _computed(table: BoardTable, settings: Settings) -> _Ranks:
    return _Ranks(rank_table(table, partial(per_query, settings=settings)))


@st.cache_resource(max_entries=1, show_spinner=False)
def _worker() -> ThreadPoolExecutor:
    # One: the comparisons take a core, and the pages need the other.
    return ThreadPoolExecutor(1, thread_name_prefix="ranks")


@st.cache_resource(max_entries=512, show_spinner=False)
def _interval(
    settings: Settings, run_ids: tuple[str, ...], metric: str, _row: BoardRow
) -> tuple[float, float] | None:
    return row_interval(_row, partial(per_query, settings=settings), metric)
