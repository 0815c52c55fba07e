"""Two sides query by query."""

from __future__ import annotations

import math

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from harness.board.compare import Pairing
from harness.store import Stored
from leaderboard_app.shared.charts import show_chart
from leaderboard_app.shared.links import OTHER, QUERY, QUERY_PAGE, RUN, to_page
from leaderboard_app.shared.look import CHART_HEIGHT, NEUTRAL, ONE
from leaderboard_app.shared.text import literal

_LINKS = 3


def show_queries(pairing: Pairing, first: list[Stored], later: list[Stored]) -> None:
    """Every query's precision on both sides, and links to those that differ most."""
    st.subheader(f"Query by query: {literal(pairing.b)} against {literal(pairing.a)}", anchor=False)
    scatter, most = st.columns([2, 3], gap="medium")
    with scatter:
        show_chart(_scatter(first, later, pairing), alt="Average precision, query by query")
    with most:
        st.markdown("**Where they differ most**")
        st.dataframe(
            pd.DataFrame([q._asdict() for q in pairing.queries]),
            hide_index=True,
            column_config={
                "ap_a": st.column_config.NumberColumn("AP, first", format="%.1f"),
                "ap_b": st.column_config.NumberColumn("AP, later", format="%.1f"),
                "first_rank_a": st.column_config.NumberColumn("first match, first", format="%.0f"),
                "first_rank_b": st.column_config.NumberColumn("first match, later", format="%.0f"),
            },
            height="content",
            alt="Queries that differ most",
        )
        with st.container(horizontal=True):
            for query in pairing.queries[:_LINKS]:
                about = {RUN: first[0].record.run_id, OTHER: later[0].record.run_id}
                to_page(QUERY_PAGE, f"See {literal(query.name)}", {**about, QUERY: query.name})


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
