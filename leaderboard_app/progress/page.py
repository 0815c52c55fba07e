"""Metric against year with the frontier marked, and accuracy against cost."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from leaderboard_app.progress import field
from leaderboard_app.shared.address import segments
from leaderboard_app.shared.charts import show_chart
from leaderboard_app.shared.chosen import chosen_metric, chosen_table
from leaderboard_app.shared.look import CHART_HEIGHT, IDENTITIES, NEUTRAL
from leaderboard_app.shared.rows import CLAIMED, RUN_HERE
from leaderboard_app.shared.text import metric_name

COLOUR, COST = "colour", "cost"

_COLOURS = {"pretraining": "Pretraining", "backbone": "Backbone"}
_COSTS = {"parameters": "Parameters, millions", "gflops": "GFLOP for one descriptor"}


def show() -> None:
    """The whole page."""
    st.title("Progress of the field", anchor=False)
    table = chosen_table()
    if table is None:
        return
    with st.container(horizontal=True):
        metric = chosen_metric()
        colour = segments("Colour", _COLOURS, COLOUR, "pretraining")
    found = field.frame(table.rows, metric)
    _show_years(found, metric, colour)
    _show_costs(found, metric, colour)


def _show_years(found: pd.DataFrame, metric: str, colour: str) -> None:
    st.subheader(f"{metric_name(metric)} by year of publication", anchor=False)
    dated = found[found["year"].notna()].reset_index(drop=True)
    if dated.empty:
        st.info("No number of this table has a year.")
        return
    sure = dated[~dated["doubtful"]]
    line = sure.iloc[field.frontier(list(sure["year"]), list(sure["value"]))]
    chart = _points(dated, "year:Q", "year of publication", metric, colour) + _steps(line, "year")
    show_chart(chart.properties(height=2 * CHART_HEIGHT), alt=f"{metric_name(metric)} against year")
    names = ", ".join(f"{r.method} ({int(r.year)}, {r.value:.1f})" for r in line.itertuples())
    st.caption(
        f"{_hidden(found, dated, 'no year')} Circles are published, diamonds were run here. "
        "Paler: another paper's number where the method's own paper says something else; such are "
        "not on the frontier."
    )
    st.markdown("**On the frontier:**")
    st.text(names)


def _show_costs(found: pd.DataFrame, metric: str, colour: str) -> None:
    st.subheader(f"{metric_name(metric)} against cost", anchor=False)
    cost = segments("Cost", _COSTS, COST, "parameters")
    priced = found[found[cost].notna()].reset_index(drop=True)
    if priced.empty:
        st.info("No number of this table says what it costs.")
        return
    sure = priced[~priced["doubtful"]]
    line = sure.iloc[field.pareto(list(sure[cost]), list(sure["value"]))]
    chart = _points(priced, f"{cost}:Q", _COSTS[cost], metric, colour) + _steps(line, cost)
    show_chart(
        chart.properties(height=2 * CHART_HEIGHT - 60),
        alt=f"{metric_name(metric)} against {_COSTS[cost]}",
    )
    st.caption(
        _hidden(found, priced, "no cost")
        + " The line joins what nothing cheaper beats. Costs in papers are as printed and counted "
        "in different ways."
    )


def _hidden(every: pd.DataFrame, shown: pd.DataFrame, why: str) -> str:
    count = len(every) - len(shown)
    return f"{len(shown)} numbers; {count} more have {why} and are not shown." if count else ""


def _points(frame: pd.DataFrame, x: str, title: str, metric: str, colour: str) -> alt.Chart:
    axis: dict[str, Any] = {"format": "d", "tickMinStep": 1} if x == "year:Q" else {}
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_point(filled=True, size=75)
        .encode(
            x=alt.X(x, title=title, scale=alt.Scale(zero=False, padding=16), axis=alt.Axis(**axis)),
            y=alt.Y("value:Q", title=f"{metric_name(metric)}, %", scale=alt.Scale(zero=False)),
            color=alt.Color(
                f"{colour}:N",
                title=None,
                scale=alt.Scale(range=IDENTITIES),
                legend=alt.Legend(orient="bottom", columns=3),
            ),
            shape=alt.Shape(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=[CLAIMED, RUN_HERE], range=["circle", "diamond"]),
                legend=None,
            ),
            opacity=alt.when("datum.doubtful").then(alt.value(0.25)).otherwise(alt.value(0.8)),
            tooltip=[
                "method:N",
                "year:Q",
                alt.Tooltip("value:Q", title=metric_name(metric), format=".2f"),
                "backbone:N",
                "pretraining:N",
                "kind:N",
                "source:N",
            ],
        )
    )
    return chart


def _steps(frame: pd.DataFrame, x: str) -> alt.Chart:
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_line(interpolate="step-after", strokeDash=[5, 4], color=NEUTRAL, strokeWidth=1.5)
        .encode(x=f"{x}:Q", y="value:Q")
    )
    return chart


if __name__ == "__main__":
    show()
