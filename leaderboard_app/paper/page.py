"""A table for a paper: rows, metrics and protocols are chosen, seen, and taken away as LaTeX."""

from __future__ import annotations

from functools import partial
from typing import cast

import streamlit as st

from harness.board import BoardTable
from harness.board.lines import Line, lines_of
from harness.board.paper import GROUPS, Asked, By, paper_view
from harness.evidence.record import METRICS
from harness.export import is_label, render
from leaderboard_app.paper.preview import preview_html
from leaderboard_app.shared.address import choice, line, several
from leaderboard_app.shared.chosen import chosen_table
from leaderboard_app.shared.data import per_query, snapshot
from leaderboard_app.shared.links import PROTOCOL, ROW
from leaderboard_app.shared.names import protocol_words
from leaderboard_app.shared.settings import read_settings
from leaderboard_app.shared.text import metric_name

BESIDE, METRICS_SHOWN, BASELINE = "beside", "metrics", "baseline"
BY, CAPTION, LABEL = "by", "caption", "label"
"""Parameters of the address."""
_NONE = ""
# A paper's table is about as long; more are there when they are asked for.
_ROWS_AT_FIRST = 10


def show() -> None:
    """The whole page."""
    st.title("Table for a paper", anchor=False)
    st.caption(
        "Bold is what paired comparisons do not tell apart from the best; numbers of papers are "
        "never compared. `harness export --format latex` gives the same."
    )
    table = chosen_table()
    if table is None:
        return
    tables = [table, *_beside(table)]
    lines = {one.first.key: one for one in lines_of(tables)}
    rows = several("Rows", list(lines), ROW, words=lambda key: lines[key].title, what="row")
    if not rows:
        rows = list(lines)[:_ROWS_AT_FIRST]
        st.caption(f"No row is chosen: the first {len(rows)} of {len(lines)} are shown.")
    asked = _asked(lines, rows)
    with st.spinner("Comparing the rows with each other"):
        view = paper_view(tables, partial(per_query, settings=read_settings()), asked)
    st.html(preview_html(view))
    text = render(view, "latex")
    st.download_button(
        "Download LaTeX", text, file_name=f"table-{view.inputs_hash[:8]}.tex", on_click="ignore"
    )
    st.code(text, language="latex", wrap_lines=True)


def _beside(table: BoardTable) -> list[BoardTable]:
    """Further protocols of the same data set, in the order chosen."""
    others: dict[str, BoardTable] = {}
    for one in sorted(snapshot().tables, key=lambda t: -len(t.rows)):
        same_data = not (one.data_hash and table.data_hash) or one.data_hash == table.data_hash
        if one.dataset == table.dataset and one.protocol != table.protocol and same_data:
            others.setdefault(one.protocol, one)
    if not others:
        return []
    chosen = several("Protocols beside it", list(others), BESIDE, protocol_words, what=PROTOCOL)
    return [others[name] for name in chosen]


def _asked(lines: dict[str, Line], rows: list[str]) -> Asked:
    plain = Asked()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metrics = several("Metrics", METRICS, METRICS_SHOWN, words=metric_name, width=260)
        by = choice("Grouped by", [_NONE, *GROUPS], BY, words=lambda n: n or "nothing", width=160)
        base = choice(
            "Held against",
            [_NONE, *rows],
            BASELINE,
            words=lambda key: lines[key].title if key else "nothing",
            width=260,
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        caption = line("Caption", CAPTION, width=420)
        label = line("Label", LABEL, placeholder="tab:name", width=160)
    if not is_label(label):
        st.warning("A label is of letters, digits and : . _ - only, so it is left out.")
        label = ""
    return plain._replace(
        rows=tuple(rows),
        metrics=tuple(metrics) or plain.metrics,
        by=cast(By, by),
        baseline=base,
        caption=caption,
        label=label,
    )


if __name__ == "__main__":
    show()
