"""Comparisons that are one click away, where nothing is chosen yet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import streamlit as st

from harness.board import BoardRow, BoardTable
from leaderboard_app.shared.data import snapshot
from leaderboard_app.shared.links import COMPARE_PAGE, RUN, to_page
from leaderboard_app.shared.text import literal


class Suggestion(NamedTuple):
    """Sides to hold against each other, the first one first."""

    words: str
    sides: tuple[str, ...]


def show_suggestions() -> None:
    """Links to comparisons of the table with the newest run."""
    found = suggestions(snapshot().tables)
    if not found:
        return
    st.markdown("**One click:**")
    for one in found:
        to_page(COMPARE_PAGE, literal(one.words), {RUN: one.sides})


def suggestions(tables: Iterable[BoardTable]) -> list[Suggestion]:
    """The two best rows of the newest run's table, that run's row against the best, its seeds."""
    of_runs = [(t, rows) for t in tables if (rows := [row for row in t.runs if not row.scored])]
    if not of_runs:
        return []
    table, rows = max(of_runs, key=lambda one: max(row.created for row in one[1]))
    newest = max(rows, key=lambda row: row.created)
    found = []
    if len(rows) > 1:
        found.append(_pair(f"The two best on {table.dataset}", rows[0], rows[1]))
    if newest not in rows[:2]:
        found.append(_pair("The newest against the best", rows[0], newest))
    if len(newest.run_ids) > 1:
        words = f"The {len(newest.run_ids)} seeds of {newest.title}"
        found.append(Suggestion(words, newest.run_ids[:6]))
    return found


def _pair(words: str, first: BoardRow, later: BoardRow) -> Suggestion:
    named = f"{words}: {first.title} and {later.title}"
    return Suggestion(named, (",".join(first.run_ids), ",".join(later.run_ids)))
