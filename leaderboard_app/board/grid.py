"""The rows of the board as a grid to sort, scroll and pick from, the chance level among them."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from harness.board import BoardRow, BoardTable
from harness.evidence.record import METRICS
from leaderboard_app.board.columns import (
    ALWAYS,
    CHANCE,
    COLUMNS,
    SORT,
    UPWARDS,
    Order,
    frame,
    shown_of,
)
from leaderboard_app.shared.address import asked_all, put
from leaderboard_app.shared.links import ROW, file_of, page_of
from leaderboard_app.shared.look import ROW_PIXELS, SELECTION_COLOURS, TRUST_COLOURS

_CLICKED = "clicked-row"
_ROWS_BEFORE_SCROLLING = 18


def show_rows(
    table: BoardTable,
    rows: list[BoardRow],
    names: list[str],
    order: Order,
    whole: bool = True,
) -> None:
    """The table; before it is whole, that is without ranks, no row of it can be picked."""
    keys: list[str | None] = [row.key for row in rows]
    shown = frame(rows, names)
    place = order.chance_place(table, rows)
    if place is not None:
        line = {ALWAYS: CHANCE, **{m: table.chance.get(m) for m in METRICS}}
        added = pd.DataFrame([{name: line.get(name) for name in names}])
        shown = pd.concat([shown.iloc[:place], added, shown.iloc[place:]], ignore_index=True)
        keys.insert(place, None)
    _open_clicked(rows)
    key = "board-table"
    picked = picked_keys()
    positions = [i for i, k in enumerate(keys) if k is not None and k in picked]
    picking: dict[str, Any] = {}
    if whole:
        st.session_state[key] = {"selection": {"rows": positions, "columns": [], "cells": []}}
        picking = {
            "key": key,
            "on_select": partial(_on_select, key, keys, order),
            # With columns to select, a click on a header is ours: the order is that of the files.
            "selection_mode": ["multi-row", "single-column", "single-cell"],
        }
    tall = len(keys) > _ROWS_BEFORE_SCROLLING
    st.dataframe(
        shown,
        hide_index=True,
        placeholder="",
        height=ROW_PIXELS * (_ROWS_BEFORE_SCROLLING + 1) if tall else "content",
        column_config={name: _config(name, rows) for name in names},
        alt=f"Runs and published numbers on {table.title}",
        **picking,
    )


def picked_keys() -> set[str]:
    """Of the rows that are picked, as the address says; anybody may have written it."""
    return set(asked_all(ROW))


def _open_clicked(rows: list[BoardRow]) -> None:
    """Go to the page of the row whose name was clicked."""
    clicked = st.session_state.pop(_CLICKED, None)
    row = next((row for row in rows if row.key == clicked), None)
    if row is not None:
        page, about = page_of(row)
        st.switch_page(file_of(page), query_params=about)


def _on_select(key: str, keys: list[str | None], order: Order) -> None:
    selection = st.session_state[key]["selection"]
    for column in selection["columns"]:
        _sort(column, order)
    for place, column in selection["cells"]:
        if column == ALWAYS:
            st.session_state[_CLICKED] = keys[place]
    chosen = [keys[i] for i in selection["rows"]]
    put(ROW, [k for k in chosen if k is not None])


def _sort(column: str, order: Order) -> None:
    """Sort by the column of a header; a second click turns the order round."""
    best_first = COLUMNS[column].kind == "number" and COLUMNS[column].better != "lower"
    down = not order.downwards if column == order.by else best_first
    put(SORT, None if column == "mAP" else column)
    put(UPWARDS, None if down else "1")


def _config(name: str, rows: list[BoardRow]) -> Any:
    column, made = COLUMNS[name], st.column_config
    about: dict[str, Any] = {"width": column.width, "help": column.help}
    if column.kind == "number":
        return made.NumberColumn(
            column.title, format=f"%.{column.digits}f", alignment="right", **about
        )
    if column.kind == "link":
        # Anything but http and https is shown as nothing: a record may hold any text.
        return made.LinkColumn(column.title, validate=r"^https?://", display_text="open", **about)
    if column.kind == "tags":
        values = sorted({tag for row in rows for tag in shown_of(name, row)})
        known = TRUST_COLOURS | SELECTION_COLOURS
        colours = [known.get(value.split()[-1], "gray") for value in values]
        return made.MultiselectColumn(column.title, options=values, color=colours, **about)
    return made.TextColumn(column.title, **about)
