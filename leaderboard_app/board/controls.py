"""The controls that decide which rows and columns of the board are shown, and in what order."""

from __future__ import annotations

import streamlit as st

from harness.board import BoardRow, BoardTable
from leaderboard_app.board.columns import ALWAYS, COLUMNS, shown_columns
from leaderboard_app.board.filters import Filters
from leaderboard_app.shared.address import asked, choice, several, switch, whole
from leaderboard_app.shared.rows import kind_of, said

SINCE, UNTIL = "since", "until"
COLUMN, SORT, UPWARDS = "column", "sort", "up"


def chosen_filters(table: BoardTable) -> Filters:
    """What the address and the controls ask for."""
    rows = table.rows
    with st.expander("Filters", expanded=_any_asked()):
        first, second, third = st.columns(3)
        with first:
            kinds = several("Kind", _found(kind_of(r) for r in rows), "kind")
            pretraining = several(
                "Pretraining", _found(said(r.pretraining) for r in rows), "pretraining"
            )
        with second:
            trust = several("Trust", _found(str(r.trust) for r in rows), "trust")
            backbone = several("Backbone", _found(said(r.backbone) for r in rows), "backbone")
        with third:
            selection = several("Selection", _found(said(r.selection) for r in rows), "selection")
            since, until = _years(table)
        tags = _found(tag for r in rows for tag in r.tags)
        left, right = st.columns(2)
        with left:
            wanted = several("With any of these tags", tags, "tag")
        with right:
            unwanted = several("Without these tags", tags, "without")
    return Filters(
        tuple(kinds),
        tuple(trust),
        tuple(selection),
        tuple(pretraining),
        tuple(backbone),
        tuple(wanted),
        tuple(unwanted),
        since,
        until,
    )


def chosen_columns(rows: tuple[BoardRow, ...]) -> tuple[list[str], str, bool]:
    """Names of columns, which one sorts, and whether the largest comes first."""
    with st.expander("Columns and order"):
        titles = {name: column.title for name, column in COLUMNS.items()}
        extra = several(
            "Columns; none chosen shows the usual ones",
            [name for name in COLUMNS if name != ALWAYS],
            COLUMN,
            words=titles.__getitem__,
        )
        left, right = st.columns(2, vertical_alignment="bottom")
        with left:
            by = choice("Sort by", list(COLUMNS), SORT, "mAP", words=titles.__getitem__)
        with right:
            upwards = switch("Smallest first", UPWARDS)
    chosen = shown_columns(rows, extra)
    return [name for name in COLUMNS if name in chosen], by, not upwards


def _years(table: BoardTable) -> tuple[int | None, int | None]:
    """The years asked for; None at an end that hides nothing."""
    years = sorted({row.year for row in table.rows if row.year is not None})
    if len(years) < 2:
        return None, None
    low, high = years[0], years[-1]
    left, right = st.columns(2)
    with left:
        since = whole("From year", SINCE, low, high, low)
    with right:
        until = whole("To year", UNTIL, low, high, high)
    return (None if since == low else since), (None if until == high else until)


def _found(values: object) -> list[str]:
    return sorted(set(values))  # type: ignore[call-overload]


def _any_asked() -> bool:
    names = ("kind", "trust", "selection", "pretraining", "backbone", "tag", "without")
    return any(asked(name) is not None for name in (*names, SINCE, UNTIL))
