"""The board: every published number and every run of one data set and protocol."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from harness.board import BoardRow, BoardTable
from harness.evidence.record import METRICS
from harness.export import render
from leaderboard_app.board.columns import (
    ALWAYS,
    COLUMNS,
    frame,
    inputs_hash,
    sorted_rows,
    usual_columns,
    view,
)
from leaderboard_app.board.controls import chosen_filters
from leaderboard_app.board.filters import Outcome, apply, sentence
from leaderboard_app.shared.address import asked_all, choice, put, several, switch
from leaderboard_app.shared.chosen import chosen_table
from leaderboard_app.shared.links import COMPARE_PAGE, OTHER, QUERY_PAGE, RUN, RUN_PAGE, to_page
from leaderboard_app.shared.look import ROW_PIXELS, SELECTION_COLOURS, TRUST_COLOURS
from leaderboard_app.shared.ranks import ranked, ready
from leaderboard_app.shared.text import chance_sentence, literal, queries_sentence

COLUMN, SORT, UPWARDS, PICKED = "column", "sort", "up", "row"
CHANCE = "chance level"

_ROWS_BEFORE_SCROLLING = 18
_FILES = {"csv": "CSV", "markdown": "Markdown", "latex": "LaTeX"}
_ENDINGS = {"csv": "csv", "markdown": "md", "latex": "tex"}


def show() -> None:
    """The whole page."""
    st.title("Multi-modal re-identification", anchor=False)
    st.caption("RGB, near infrared and thermal: what is published, and what was run here.")
    table = chosen_table()
    if table is None:
        return
    outcome = apply(table.rows, chosen_filters(table))
    names, by, downwards = _chosen_columns(outcome.rows)
    st.subheader(literal(table.title), anchor=False)
    if outcome.hidden:
        st.warning(sentence(outcome))
    if not outcome.rows:
        st.info("No row is left. Take a filter away to see some.")
        return
    known = ready(table)
    # An empty place would take the table away at every click, with where it was scrolled to.
    place = st.container() if known else st.empty()
    if not known:
        rows = sorted_rows(outcome.rows, by, downwards)
        with place.container():
            _show_rows(table, rows, names, by, downwards, whole=False)
    # Ranks are of the whole table: hiding a row must not raise the others.
    whole = ranked(table)
    by_key = {row.key: row for row in whole.rows}
    rows = sorted_rows([by_key[row.key] for row in outcome.rows], by, downwards)
    with place if known else place.container():
        _show_rows(table, rows, names, by, downwards)
    _show_words(whole, outcome, rows)
    _show_picked(rows)
    _show_downloads(table, rows, names, sentence(outcome))


def _chosen_columns(rows: tuple[BoardRow, ...]) -> tuple[list[str], str, bool]:
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
    chosen = set(extra) | {ALWAYS} if extra else usual_columns(rows)
    return [name for name in COLUMNS if name in chosen], by, not upwards


def _show_rows(
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
    picked = asked_all(PICKED)
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
    put(PICKED, [k for k in chosen if k is not None])


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


def _show_words(table: BoardTable, outcome: Outcome, rows: list[BoardRow]) -> None:
    words = ["1 row." if len(rows) == 1 else f"{len(rows)} rows."]
    if table.chance:
        words += [chance_sentence(table.chance)]
        words += [queries_sentence(table.queries, table.valid_queries)]
    if table.resolution is not None:
        words.append(
            f"Differences below {table.resolution:.1f} points of mAP are usually noise here."
        )
    if any(row.conflict for row in rows):
        words.append("Rows with one conflict mark contradict each other; both are kept.")
    if any(row.kind == "claim" for row in rows):
        words.append(
            "Published numbers have no rank: without each query's result nothing can be compared."
        )
    st.caption(" ".join(words))


def _show_picked(rows: list[BoardRow]) -> None:
    """What can be done with the rows that are picked."""
    keys = set(asked_all(PICKED))
    picked = [row for row in rows if row.key in keys]
    runs = [row for row in picked if row.run_ids]
    if not picked:
        st.caption("Pick rows by the boxes at their left to open or compare them.")
        return
    with st.container(horizontal=True):
        for row in runs[:3]:
            to_page(RUN_PAGE, f"Open {literal(row.title)}", {RUN: row.run_ids[0]})
        if len(runs) > 1:
            sides = [",".join(row.run_ids) for row in runs]
            to_page(COMPARE_PAGE, f"Compare {len(runs)} rows", {RUN: sides})
            ids = [row.run_ids[0] for row in runs]
            to_page(QUERY_PAGE, "Their answers side by side", {RUN: ids[0], OTHER: ids[1]})
        elif runs:
            to_page(QUERY_PAGE, "Its answers", {RUN: runs[0].run_ids[0]})
    for row in picked:
        if row.kind == "claim":
            st.caption(
                f"{literal(row.title)}: {literal(row.source)}. A claim has no evidence here."
            )


def _show_downloads(table: BoardTable, rows: list[BoardRow], names: list[str], hidden: str) -> None:
    made_of = inputs_hash(table, rows, names)
    with st.container(horizontal=True):
        for kind, words in _FILES.items():
            st.download_button(
                f"Download {words}",
                partial(_file, table, rows, names, hidden, kind),
                file_name=f"leaderboard-{made_of[:8]}.{_ENDINGS[kind]}",
                key=f"download-{kind}",
                on_click="ignore",
            )
    st.caption(f"The files hold exactly this table; hash of its inputs {made_of[:12]}.")


def _file(table: BoardTable, rows: list[BoardRow], names: list[str], hidden: str, kind: Any) -> str:
    """Made when it is asked for, which most visitors never do."""
    return render(view(table, rows, names, hidden), kind)
