"""What is on the board, as files."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from harness.board import BoardRow, BoardTable
from harness.board.marks import marks_of
from harness.evidence.record import METRICS
from harness.export import render
from leaderboard_app.board.columns import Order, inputs_hash, view
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
    st.caption(
        f"The files hold {len(rows)} rows{chance}, with these columns in this order; hash of their "
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
