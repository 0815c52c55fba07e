"""The board: every published number and every run of one data set and protocol."""

from __future__ import annotations

from typing import Any

import streamlit as st

from harness.board import BoardRow, BoardTable
from leaderboard_app.board.columns import sorted_rows
from leaderboard_app.board.controls import chosen_columns, chosen_filters
from leaderboard_app.board.downloads import show_downloads
from leaderboard_app.board.figures import figures, show_figures
from leaderboard_app.board.filters import Outcome, apply, sentence
from leaderboard_app.board.folding import UNFOLD, Fold, fold
from leaderboard_app.board.grid import picked_keys, show_rows
from leaderboard_app.board.yours import show_yours
from leaderboard_app.shared.address import asked, switch
from leaderboard_app.shared.charts import with_ink
from leaderboard_app.shared.chosen import HASHES, chosen_table
from leaderboard_app.shared.data import Snapshot, infos, snapshot
from leaderboard_app.shared.links import (
    COMPARE_PAGE,
    DATASET,
    GUIDE,
    GUIDE_PAGE,
    OTHER,
    OVERVIEW_PAGE,
    PAPER_PAGE,
    PROTOCOL,
    QUERY_PAGE,
    ROW,
    RUN,
    page_of,
    to_page,
)
from leaderboard_app.shared.look import ink
from leaderboard_app.shared.picture import LEGEND, interval_picture
from leaderboard_app.shared.ranks import interval_of, ranked, ready
from leaderboard_app.shared.text import chance_sentence, literal, queries_sentence

_SENTENCE = "Multi-modal re-identification: what is true, and what is noise"
# Streamlit's own first heading takes 90 pixels.
_HEAD = "font-size: 1.3rem; margin: 0; padding: 0; line-height: 1.3"
_GUIDES = {
    "trust": "How far a number can be trusted",
    "claims": "What the tags of claims mean",
    "protocols": "What the protocols mean",
}
_VARIANTS_HELP = "Also published variants and ablations, each as a row of its own."
# As many as stand beside the table without scrolling.
PICTURE_ROWS = 28


def show() -> None:
    """The whole page."""
    state = snapshot()
    # Close together, so that the table begins in the upper third of a screen.
    with st.container(gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(f"<h1 style='{_HEAD}'>{_SENTENCE}</h1>", width="stretch")
            table = chosen_table(label_visibility="collapsed")
        if table is None:
            return
        show_yours(state, table)
        place_of_figures = st.container()
        with st.container(horizontal=True, vertical_alignment="center"):
            filters = chosen_filters(table)
            outcome = apply(table.rows, filters)
            names, order = chosen_columns(outcome.rows)
            unfolded = switch("Variants", UNFOLD, help=_VARIANTS_HELP)
    if outcome.hidden:
        st.caption(sentence(outcome))
    if not outcome.rows:
        st.info("No row is left. Take a filter away to see some.")
        return

    def shown(rows: list[BoardRow]) -> Fold:
        return Fold(rows, 0) if unfolded else fold(rows, picked_keys())

    left, right = st.columns([5, 3], gap="small")
    known = ready(table)
    # An empty place would take the table away at every click, with where it was scrolled to.
    place = left.container() if known else left.empty()
    if not known:
        rows = shown(sorted_rows(outcome.rows, *order)).rows
        with place.container():
            show_rows(table, rows, names, order, whole=False)
    # Ranks are of the whole table: hiding a row must not raise the others.
    whole = ranked(table)
    by_key = {row.key: row for row in whole.rows}
    found = shown(sorted_rows([by_key[row.key] for row in outcome.rows], *order))
    rows = found.rows
    with place if known else place.container():
        show_rows(table, rows, names, order)
    with right:
        _show_picture(whole, rows)
    with place_of_figures:
        show_figures(figures(whole, state.claims, infos(), interval_of))
    picked = [row for row in rows if row.key in picked_keys()]
    _show_picked(picked)
    _show_words(whole, found)
    show_downloads(whole, picked or rows, names, _left_out(outcome, found, picked), order)
    _show_links(state, table, picked)


def _show_picture(table: BoardTable, rows: list[BoardRow]) -> None:
    shown = rows[:PICTURE_ROWS]
    drawn = tuple(
        (r.title, r.kind, r.metrics.get("mAP"), r.intervals.get("mAP"), r.tie_group) for r in shown
    )
    spec = _picture(drawn, table.chance, ink(), shown)
    if spec is None:
        return
    about = f"mAP with its 95 % interval, row by row, on {table.title}"
    st.vega_lite_chart(spec=spec, alt=about, width="stretch")
    more = f" The first {PICTURE_ROWS} of {len(rows)} rows; the files below hold more."
    st.caption(LEGEND + (more if len(rows) > PICTURE_ROWS else ""))


# To make it is half of the work of a visit; what it is made of is the same for most visitors.
@st.cache_data(max_entries=64, show_spinner=False)
def _picture(
    drawn: tuple[object, ...],
    chance: dict[str, float],
    colour: str,
    _rows: list[BoardRow],
) -> dict[str, Any] | None:
    chart = interval_picture(_rows, chance, ink=colour, legend=False)
    return None if chart is None else with_ink(chart, colour).to_dict()


def _show_words(table: BoardTable, found: Fold) -> None:
    rows = found.rows
    words = ["1 row." if len(rows) == 1 else f"{len(rows)} rows.", f"{literal(table.title)}."]
    words += [found.sentence()] if found.hidden else []
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


def _show_links(state: Snapshot, table: BoardTable, picked: list[BoardRow]) -> None:
    """Where else the numbers of this table stand, and what its words mean."""
    about = {DATASET: table.dataset, PROTOCOL: table.protocol, ROW: [row.key for row in picked]}
    hashes = asked(HASHES)
    with st.container(horizontal=True):
        to_page(PAPER_PAGE, "A table for a paper", about | ({HASHES: hashes} if hashes else {}))
        if any((t.dataset, t.protocol) == (table.dataset, "full") for t in state.tables):
            to_page(OVERVIEW_PAGE, "Every protocol of this data set", {DATASET: table.dataset})
        for guide, words in _GUIDES.items():
            to_page(GUIDE_PAGE, words, {GUIDE: guide})


def _left_out(outcome: Outcome, found: Fold, picked: list[BoardRow]) -> str:
    """What a file does not hold, and why."""
    others = f"{len(picked)} rows of {len(found.rows)} were picked." if picked else ""
    return " ".join(part for part in (sentence(outcome), found.sentence(), others) if part)


def _show_picked(picked: list[BoardRow]) -> None:
    """What can be done with the rows that are picked."""
    # What was scored under a further protocol has no record to hold against another.
    runs = [row for row in picked if row.run_ids and not row.scored]
    if not picked:
        st.caption(
            "A click on a name opens it, a click on a header sorts. Pick rows by the boxes at "
            "their left to compare them, or to have only them in the files."
        )
        return
    with st.container(horizontal=True):
        for row in picked[:3]:
            page, about = page_of(row)
            to_page(page, f"Open {literal(row.title)}", about)
        if len(runs) > 1:
            sides = [",".join(row.run_ids) for row in runs]
            to_page(COMPARE_PAGE, f"Compare {len(runs)} rows", {RUN: sides})
            ids = [row.run_ids[0] for row in runs]
            to_page(QUERY_PAGE, "Their answers side by side", {RUN: ids[0], OTHER: ids[1]})
        elif runs:
            to_page(QUERY_PAGE, "Its answers", {RUN: runs[0].run_ids[0]})


if __name__ == "__main__":
    show()
