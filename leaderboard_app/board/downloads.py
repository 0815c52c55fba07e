"""What is on the board, as files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from harness.base.hashing import digest
from harness.board import BoardRow, BoardTable
from harness.board.marks import Marks, marks_of
from harness.evidence.record import METRICS
from harness.export import Column, TableView, Value, render
from leaderboard_app.board.columns import ALWAYS, CHANCE, COLUMNS, Order
from leaderboard_app.shared.data import per_query
from leaderboard_app.shared.picture import as_file, interval_picture
from leaderboard_app.shared.settings import read_settings

_FILES = {"csv": "CSV", "markdown": "Markdown", "latex": "LaTeX"}
_MOST_DRAWN, _PICTURE_WIDTH = 200, 460
_ENDINGS = {"csv": "csv", "markdown": "md", "latex": "tex"}


def show_downloads(
    table: BoardTable, rows: list[BoardRow], names: list[str], hidden: str, order: Order
) -> None:
    """Buttons for files of exactly these rows and columns; `hidden` says what they leave out."""
    made_of = inputs_hash(table, rows, names)
    with st.container(horizontal=True):
        for kind, words in _FILES.items():
            st.download_button(
                f"Download {words}",
                partial(_file, table, rows, names, hidden, order, kind),
                file_name=f"leaderboard-{made_of[:8]}.{_ENDINGS[kind]}",
                key=f"download-{kind}",
                on_click="ignore",
            )
        for form in ("svg", "pdf"):
            st.download_button(
                f"Picture as {form.upper()}",
                partial(_picture, table, rows, form),
                file_name=f"leaderboard-{made_of[:8]}.{form}",
                key=f"download-{form}",
                on_click="ignore",
            )
    chance = " and the chance level" if table.chance else ""
    count = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
    st.caption(
        f"The files hold {count}{chance}, with these columns in this order; hash of their "
        f"inputs {made_of[:12]}. A column's own menu sorts on the screen only."
    )


def _picture(table: BoardTable, rows: list[BoardRow], form: Any) -> bytes:
    chart = interval_picture(rows[:_MOST_DRAWN], table.chance, width=_PICTURE_WIDTH)
    return b"" if chart is None else as_file(chart, form)


def _file(
    table: BoardTable, rows: list[BoardRow], names: list[str], hidden: str, order: Order, kind: Any
) -> str:
    """Made when it is asked for, which most visitors never do."""
    metrics = [name for name in names if name in METRICS]
    marks = marks_of(table, partial(per_query, settings=read_settings()), metrics)
    return render(view(table, rows, names, hidden, order, marks), kind)


def view(
    table: BoardTable,
    rows: Sequence[BoardRow],
    names: Sequence[str],
    hidden: str,
    order: Order,
    marks: Marks | None = None,
) -> TableView:
    """Exactly what is on the page, the chance level among it, for a download.

    `marks` say which numbers are bold or underlined.
    """
    columns = tuple(
        Column(COLUMNS[n].title, digits=COLUMNS[n].digits, better=COLUMNS[n].better, key=n)
        for n in names
    )
    notes = [hidden] if hidden else []
    if table.chance:
        notes.append(
            f"Chance level: mAP {table.chance['mAP']:.2f}, Rank-1 {table.chance['R1']:.2f}; "
            f"{table.valid_queries} of {table.queries} queries are valid."
        )
    lines = [tuple(_cell(row, n, marks or {}) for n in names) for row in rows]
    place = order.chance_place(table, rows)
    if place is not None:
        lines.insert(place, tuple(_chance_cell(table, name) for name in names))
    return TableView(
        title=table.title,
        columns=columns,
        rows=tuple(lines),
        notes=tuple(notes),
        inputs_hash=inputs_hash(table, rows, names),
    )


def _chance_cell(table: BoardTable, name: str) -> Any:
    if name == ALWAYS:
        return CHANCE
    level = table.chance.get(name)
    return None if level is None else Value(level)


def inputs_hash(table: BoardTable, rows: Sequence[BoardRow], names: Sequence[str]) -> str:
    """Over both hashes of the table, the rows in their order and the columns."""
    made_of = [table.data_hash, table.protocol_hash, [[r.key, *r.run_ids] for r in rows], [*names]]
    return digest(made_of)


def _cell(row: BoardRow, name: str, marks: Marks) -> Any:
    column, found = COLUMNS[name], COLUMNS[name].get(row)
    if found is None:
        return None
    if column.kind == "number":
        spread = row.spread.get(name) if row.spread else None
        return Value(float(found), spread=spread, mark=marks.get((row.key, name)))
    return ", ".join(found) if isinstance(found, list) else str(found)
