"""The board: every published number and every run of one data set and protocol."""

from __future__ import annotations

import streamlit as st

from harness.board import BoardRow, BoardTable
from leaderboard_app.board.columns import sorted_rows
from leaderboard_app.board.controls import chosen_columns, chosen_filters
from leaderboard_app.board.downloads import show_downloads
from leaderboard_app.board.filters import Outcome, apply, sentence
from leaderboard_app.board.grid import picked_keys, show_rows
from leaderboard_app.shared.chosen import chosen_table
from leaderboard_app.shared.links import COMPARE_PAGE, OTHER, QUERY_PAGE, RUN, RUN_PAGE, to_page
from leaderboard_app.shared.ranks import ranked, ready
from leaderboard_app.shared.text import chance_sentence, literal, queries_sentence


def show() -> None:
    """The whole page."""
    st.title("Multi-modal re-identification", anchor=False)
    st.caption("RGB, near infrared and thermal: what is published, and what was run here.")
    table = chosen_table()
    if table is None:
        return
    outcome = apply(table.rows, chosen_filters(table))
    names, by, downwards = chosen_columns(outcome.rows)
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
            show_rows(table, rows, names, by, downwards, whole=False)
    # Ranks are of the whole table: hiding a row must not raise the others.
    whole = ranked(table)
    by_key = {row.key: row for row in whole.rows}
    rows = sorted_rows([by_key[row.key] for row in outcome.rows], by, downwards)
    with place if known else place.container():
        show_rows(table, rows, names, by, downwards)
    _show_words(whole, outcome, rows)
    _show_picked(rows)
    show_downloads(table, rows, names, sentence(outcome))


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
    keys = picked_keys()
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


if __name__ == "__main__":
    show()
