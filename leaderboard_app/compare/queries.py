"""Two sides query by query."""

from __future__ import annotations

import math

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from harness.base.errors import HarnessError
from harness.board.compare import Pairing
from harness.store import Stored
from leaderboard_app.shared.answer_rows import LEGEND, show_answers, show_query
from leaderboard_app.shared.charts import show_chart
from leaderboard_app.shared.data import evidence_of
from leaderboard_app.shared.links import OTHER, QUERY, QUERY_PAGE, RUN, to_page
from leaderboard_app.shared.look import CHART_HEIGHT, NEUTRAL, ONE
from leaderboard_app.shared.places import place_of
from leaderboard_app.shared.text import literal

_LINKS, _ANSWERS = 3, 5


def show_queries(pairing: Pairing, first: list[Stored], later: list[Stored]) -> None:
    """Every query's precision on both sides, and links to those that differ most."""
    st.subheader(f"Query by query: {literal(pairing.b)} against {literal(pairing.a)}", anchor=False)
    number = st.column_config.NumberColumn
    scatter, most = st.columns([2, 3], gap="medium")
    with scatter:
        show_chart(_scatter(first, later, pairing), alt="Average precision, query by query")
    with most:
        st.markdown("**Where they differ most**")
        st.dataframe(
            pd.DataFrame([q._asdict() for q in pairing.queries]),
            hide_index=True,
            column_config={
                "name": "query",
                "pid": st.column_config.NumberColumn("identity", format="%d"),
                "ap_a": number(f"AP, {pairing.a}", format="%.1f"),
                "ap_b": number(f"AP, {pairing.b}", format="%.1f"),
                "first_rank_a": number(f"first match, {pairing.a}", format="%.0f"),
                "first_rank_b": number(f"first match, {pairing.b}", format="%.0f"),
            },
            height="content",
            alt="Queries that differ most",
        )
        with st.container(horizontal=True):
            for query in pairing.queries[:_LINKS]:
                about = {RUN: first[0].record.run_id, OTHER: later[0].record.run_id}
                to_page(QUERY_PAGE, f"See {literal(query.name)}", {**about, QUERY: query.name})
    _show_lists(pairing, first[0], later[0])


def _show_lists(pairing: Pairing, first: Stored, later: Stored) -> None:
    """Both ranked lists of the query that differs most, where the descriptors are here."""
    if not pairing.queries:
        return
    name = pairing.queries[0].name
    try:
        evidence = [evidence_of(run.record.run_id) for run in (first, later)]
    except HarnessError as error:
        st.caption(f"Its ranked lists are not shown: {literal(error.seen)}.")
        return
    query = first.record.per_query.names.index(name)
    place = place_of(first.record)
    st.markdown(f"**The query that differs most:** {literal(name)}")
    show_query(place, evidence[0], query, first.record)
    for run, found, called in zip((first, later), evidence, (pairing.a, pairing.b), strict=True):
        head = f"{called} (seed {run.record.seed})"
        against = later.record.run_id
        show_answers(place, found, query, run.record, head, most=_ANSWERS, against=against)
    st.caption(LEGEND)


def _scatter(first: list[Stored], later: list[Stored], pairing: Pairing) -> alt.LayerChart:
    names, pids = first[0].record.per_query.names, first[0].record.per_query.pids
    frame = pd.DataFrame(
        {"query": names, "identity": pids, "first": _mean_ap(first), "later": _mean_ap(later)}
    ).dropna()
    same = alt.Chart(pd.DataFrame({"x": [0, 100], "y": [0, 100]})).mark_line(
        strokeDash=[4, 3], color=NEUTRAL
    )
    points = alt.Chart(frame).mark_point(filled=True, size=28, opacity=0.6, color=ONE)
    chart: alt.LayerChart = (
        same.encode(x="x:Q", y="y:Q")
        + points.encode(
            x=alt.X("first:Q", title=f"AP, {pairing.a}"),
            y=alt.Y("later:Q", title=f"AP, {pairing.b}"),
            tooltip=[
                "query:N",
                "identity:N",
                alt.Tooltip("first:Q", format=".1f"),
                alt.Tooltip("later:Q", format=".1f"),
            ],
        )
    ).properties(height=CHART_HEIGHT + 80)
    return chart


def _mean_ap(side: list[Stored]) -> list[float]:
    columns = zip(*(run.record.per_query.ap for run in side), strict=True)
    return [
        math.nan if any(v is None for v in row) else 100 * float(np.mean([v or 0.0 for v in row]))
        for row in columns
    ]
