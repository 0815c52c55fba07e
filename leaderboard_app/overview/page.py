"""One data set: every method under every protocol, claims in italics, runs upright."""

from __future__ import annotations

import streamlit as st

from harness.board.overview import datasets_of, overview
from leaderboard_app.shared.address import choice, switch
from leaderboard_app.shared.chosen import chosen_metric
from leaderboard_app.shared.commands import show_commands
from leaderboard_app.shared.data import snapshot
from leaderboard_app.shared.grid_html import overview_html
from leaderboard_app.shared.links import DATASET
from leaderboard_app.shared.names import dataset_words
from leaderboard_app.shared.text import metric_name

ALL = "all"


def show() -> None:
    """The whole page."""
    st.title("Overview", anchor=False)
    st.caption(
        "One data set, every protocol: all modalities, modalities missing at test, and one "
        "modality finding another. Claims are in italics; runs are upright, with their interval "
        "where the pointer rests."
    )
    tables = snapshot().tables
    names = datasets_of(tables)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        dataset = choice(
            "Data set", names, DATASET, words=dataset_words, what="data set", width=260
        )
        metric = chosen_metric()
        everything = switch("Also rows of one protocol", ALL)
    found = overview(tables, dataset, metric)
    shown = [row for row in found.rows if everything or len(row.cells) > 1 or row.kind == "run"]
    if not shown:
        shown = list(found.rows)
    st.html(overview_html(found, shown))
    hidden = len(found.rows) - len(shown)
    st.caption(
        ("1 row" if len(shown) == 1 else f"{len(shown)} rows")
        + (f"; {hidden} more have a number under one protocol only" if hidden else "")
        + f". {metric_name(metric)} in percent. A mean is given to rows that have every number of "
        "its group: means over other protocols do not compare."
    )
    if all(row.kind == "claim" for row in found.rows):
        st.markdown("A run of yours fills a row, without training again:")
        groups = [w for name in ("full", "missing", "cross") for w in ("--protocol", name)]
        show_commands(("evaluate", "--run", "RUN", *groups))


if __name__ == "__main__":
    show()
