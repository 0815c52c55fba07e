"""The controls that decide which rows and columns of the board are shown, and in what order."""

from __future__ import annotations

import streamlit as st

from harness.board import BoardRow, BoardTable
from leaderboard_app.board.columns import ALWAYS, COLUMNS, SORT, UPWARDS, Order, shown_columns
from leaderboard_app.board.filters import Filters
from leaderboard_app.board.presets import HELP, PRESETS
from leaderboard_app.shared.address import asked, chips, choice, line, several, switch, whole
from leaderboard_app.shared.rows import kind_of, said

SINCE, UNTIL = "since", "until"
SHOW, SEARCH = "show", "search"
COLUMN = "column"

_BOXES = ("kind", "trust", "selection", "pretraining", "backbone", "tag", "without", "sweep")
_FILTERS = (*_BOXES, SINCE, UNTIL)


def chosen_filters(table: BoardTable) -> Filters:
    """What the address and the controls ask for: chips, words, and the boxes behind a button."""
    words = {name: preset.words for name, preset in PRESETS.items()}
    presets = chips("Rows", words, SHOW, help=HELP, label_visibility="collapsed")
    search = line(
        "Search methods",
        SEARCH,
        placeholder="Search: method, backbone, source",
        label_visibility="collapsed",
        width=260,
    )
    active = sum(asked(name) is not None for name in _FILTERS)
    with st.popover(f"Filters ({active})" if active else "Filters", icon=":material/filter_alt:"):
        boxes = _boxes(table)
    return boxes._replace(presets=tuple(presets), search=search)


def chosen_columns(rows: tuple[BoardRow, ...]) -> tuple[list[str], Order]:
    """Names of columns, and the order of the rows."""
    with st.popover("Columns and order", icon=":material/view_column:"):
        titles = {name: column.title for name, column in COLUMNS.items()}
        extra = several(
            "Columns; none chosen shows the usual ones",
            [name for name in COLUMNS if name != ALWAYS],
            COLUMN,
            words=titles.__getitem__,
        )
        by = choice("Sort by", list(COLUMNS), SORT, "mAP", words=titles.__getitem__)
        upwards = switch("Smallest first", UPWARDS)
    chosen = shown_columns(rows, extra)
    return [name for name in COLUMNS if name in chosen], Order(by, not upwards)


def _boxes(table: BoardTable) -> Filters:
    rows = table.rows
    kinds = several("Kind", _found(kind_of(r) for r in rows), "kind")
    trust = several("Trust", _found(str(r.trust) for r in rows), "trust")
    selection = several("Selection", _found(said(r.selection) for r in rows), "selection")
    pretraining = several("Pretraining", _found(said(r.pretraining) for r in rows), "pretraining")
    backbone = several("Backbone", _found(said(r.backbone) for r in rows), "backbone")
    made_by = _found(sweep for r in rows for sweep in r.sweeps)
    # Where there are no sweeps, no one asks for them.
    sweeps = several("Sweep", made_by, "sweep") if made_by else []
    tags = _found(tag for r in rows for tag in r.tags)
    wanted = several("With any of these tags", tags, "tag")
    unwanted = several("Without these tags", tags, "without")
    since, until = _years(table)
    return Filters(
        kinds=tuple(kinds),
        trust=tuple(trust),
        selection=tuple(selection),
        pretraining=tuple(pretraining),
        backbone=tuple(backbone),
        tags=tuple(wanted),
        without=tuple(unwanted),
        sweeps=tuple(sweeps),
        since=since,
        until=until,
    )


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
