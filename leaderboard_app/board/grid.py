"""The rows of the board as a grid to sort, scroll and pick from, the chance level among them."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from harness.board import BoardRow, BoardTable
from harness.evidence.record import METRICS
from leaderboard_app.board.columns import ALWAYS, COLUMNS, frame
from leaderboard_app.shared.address import asked_all, put
from leaderboard_app.shared.look import ROW_PIXELS, SELECTION_COLOURS, TRUST_COLOURS

CHANCE = "chance level"

_PICKED = "row"
_ROWS_BEFORE_SCROLLING = 18


def show_rows(
    table: BoardTable,
    rows: list[BoardRow],
    names: list[str],
    by: str,
    downwards: bool,
    whole: bool = True,
) -> None:
    """The table; before it is whole, that is without ranks, no row of it can be picked."""
    keys: list[str | None] = [row.key for row in rows]
    shown = frame(rows, names)
    place = _chance_place(table, rows, by, downwards)
    if place is not None:
        line = {ALWAYS: CHANCE, **{m: table.chance.get(m) for m in METRICS}}
        added = pd.DataFrame([{name: line.get(name) for name in names}])
        shown = pd.concat([shown.iloc[:place], added, shown.iloc[place:]], ignore_index=True)
        keys.insert(place, None)
    key = "board-table"
    picked = picked_keys()
    positions = [i for i, k in enumerate(keys) if k is not None and k in picked]
    picking: dict[str, Any] = {}
    if whole:
        st.session_state[key] = {"selection": {"rows": positions, "columns": [], "cells": []}}
        picking = {
            "key": key,
            "on_select": partial(_on_select, key, keys),
            "selection_mode": "multi-row",
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
    return set(asked_all(_PICKED))


def _chance_place(table: BoardTable, rows: list[BoardRow], by: str, downwards: bool) -> int | None:
    """Where the chance level stands among rows sorted by a metric; None where it has no place."""
    level = table.chance.get(by)
    if level is None:
        return None
    values = [row.metrics.get(by) for row in rows]
    above = [v is not None and (v >= level if downwards else v <= level) for v in values]
    return sum(above)


def _on_select(key: str, keys: list[str | None]) -> None:
    chosen = [keys[i] for i in st.session_state[key]["selection"]["rows"]]
    put(_PICKED, [k for k in chosen if k is not None])


def _config(name: str, rows: list[BoardRow]) -> Any:
    column, made = COLUMNS[name], st.column_config
    about: dict[str, Any] = {"width": column.width, "help": column.help}
    if name == ALWAYS:
        return made.TextColumn(column.title, pinned=True, **about)
    if column.kind == "number":
        return made.NumberColumn(
            column.title, format=f"%.{column.digits}f", alignment="right", **about
        )
    if column.kind == "link":
        # Anything but http and https is shown as nothing: a record may hold any text.
        return made.LinkColumn(column.title, validate=r"^https?://", display_text="open", **about)
    if column.kind == "tags":
        values = sorted({tag for row in rows for tag in column.get(row)})
        colours = [TRUST_COLOURS.get(v) or SELECTION_COLOURS.get(v) or "gray" for v in values]
        return made.MultiselectColumn(column.title, options=values, color=colours, **about)
    return made.TextColumn(column.title, **about)
