"""Metric against year with the frontier marked, and accuracy against cost."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from leaderboard_app.progress import field
from leaderboard_app.shared.address import segments
from leaderboard_app.shared.charts import show_chart
from leaderboard_app.shared.chosen import chosen_metric, chosen_table
from leaderboard_app.shared.data import snapshot
from leaderboard_app.shared.look import CHART_HEIGHT, IDENTITIES, NEUTRAL, ink
from leaderboard_app.shared.rows import CLAIMED, RUN_HERE
from leaderboard_app.shared.text import metric_name

COLOUR, COST, ROWS = "colour", "cost", "rows"

_COLOURS = {"pretraining": "Pretraining", "backbone": "Backbone"}
_COSTS = {"parameters": "Parameters, millions", "gflops": "GFLOP for one descriptor"}
_CLEAN, _EVERYTHING = "clean", "everything"
_ROWS = {_CLEAN: "Clean", _EVERYTHING: "Everything"}
_HEIGHT, _NAME = 2 * CHART_HEIGHT, 118
_LOOKS = (
    "Diamonds are published, hollow ones at second hand; circles were run here. The names of some "
    "points are left out where they would cover each other; the pointer tells them."
)


def show() -> None:
    """The whole page."""
    st.title("Progress of the field", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        table = chosen_table()
        if table is None:
            return
        metric = chosen_metric()
        rows = segments("Rows", _ROWS, ROWS, _CLEAN)
        colour = segments("Colour", _COLOURS, COLOUR, "pretraining")
    variants = {claim.id for claim in snapshot().claims if claim.variant}
    every = field.frame(table.rows, metric, variants)
    found = _asked_for(every, rows)
    st.caption(_rows_in_words(every, found, rows))
    _show_years(found, metric, colour)
    _show_costs(found, metric, colour)


def _asked_for(every: pd.DataFrame, rows: str) -> pd.DataFrame:
    """The points to draw; `on` says which of them may be on a frontier."""
    if rows == _EVERYTHING:
        return every.assign(on=~every["doubtful"])
    # Second-hand ones stay to be seen, hollow and never on the frontier.
    seen = every[every["clean"]].reset_index(drop=True)
    return seen.assign(on=~seen["second_hand"])


def _rows_in_words(every: pd.DataFrame, found: pd.DataFrame, rows: str) -> str:
    if rows == _EVERYTHING:
        return (
            "Everything: also numbers at second hand, with the epoch picked on the test set, with "
            "cameras, text or masks of test images, trained on them, and ablations."
        )
    return (
        "Clean: as far as is known, no epoch picked on the test set, no camera, text or mask of "
        "its images, no training on them, and no ablation or probe. "
        f"{len(every) - len(found)} of {len(every)} numbers are left out; Everything shows them."
    )


def _show_years(found: pd.DataFrame, metric: str, colour: str) -> None:
    st.subheader(f"{metric_name(metric)} by year of publication", anchor=False)
    dated = found[found["year"].notna()].reset_index(drop=True)
    if dated.empty:
        st.info("No number of these rows has a year.")
        return
    line = _frontier(dated, "year")
    axis = alt.X(
        "year:Q",
        title="year of publication",
        scale=alt.Scale(zero=False, padding=24),
        axis=alt.Axis(format="d", tickMinStep=1),
    )
    chart = _drawn(dated, line, axis, metric, colour)
    show_chart(chart, alt=f"{metric_name(metric)} against year", height=_HEIGHT)
    st.caption(f"{_hidden(found, dated, 'no year')} {_LOOKS}")
    names = ", ".join(f"{r.method} ({int(r.year)}, {r.value:.1f})" for r in line.itertuples())
    st.markdown("**On the frontier:**")
    st.text(names or "nothing")


def _show_costs(found: pd.DataFrame, metric: str, colour: str) -> None:
    st.subheader(f"{metric_name(metric)} against cost", anchor=False)
    cost = segments("Cost", _COSTS, COST, "parameters")
    priced = found[found[cost].notna() & (found[cost] > 0)].reset_index(drop=True)
    if priced.empty:
        st.info("No number of these rows says what it costs.")
        return
    # From where the data are: costs differ by factors, and none is nothing.
    ends = [float(priced[cost].min()) / 1.2, float(priced[cost].max()) * 1.4]
    axis = alt.X(
        f"{cost}:Q",
        title=f"{_COSTS[cost]} (log scale)",
        scale=alt.Scale(type="log", domain=ends, nice=False),
    )
    chart = _drawn(priced, _frontier(priced, cost), axis, metric, colour)
    show_chart(chart, alt=f"{metric_name(metric)} against {_COSTS[cost]}", height=_HEIGHT - 60)
    st.caption(
        f"{_hidden(found, priced, 'no cost')} The line joins what nothing cheaper beats. Costs in "
        "papers are as printed and counted in different ways."
    )


def _frontier(frame: pd.DataFrame, x: str) -> pd.DataFrame:
    sure = frame[frame["on"]]
    return sure.iloc[field.frontier(list(sure[x]), list(sure["value"]))]


def _hidden(every: pd.DataFrame, shown: pd.DataFrame, why: str) -> str:
    count = len(every) - len(shown)
    return f"{len(shown)} numbers; {count} more have {why} and are not shown." if count else ""


def _drawn(
    frame: pd.DataFrame, line: pd.DataFrame, x: alt.X, metric: str, colour: str
) -> alt.LayerChart:
    """Points by colour and shape, names beside them, and the frontier as steps."""
    name = str(x.to_dict()["field"])
    first = set(frame.index[frame["key"].isin(line["key"])])
    beside = frame.iloc[field.named(list(frame[name]), list(frame["value"]), first, _HEIGHT)]
    low, high = max(0.0, frame["value"].min() - 4), min(100.0, frame["value"].max() + 4)
    scale = alt.Scale(domain=[low, high], nice=False)
    y = alt.Y("value:Q", title=f"{metric_name(metric)}, %", scale=scale)
    legend = alt.Legend(orient="bottom", columns=3, symbolType="square")
    tint = alt.Color(f"{colour}:N", title=None, scale=alt.Scale(range=IDENTITIES), legend=legend)
    shapes = alt.Shape(
        "kind:N",
        title=None,
        scale=alt.Scale(domain=[CLAIMED, RUN_HERE], range=["diamond", "circle"]),
        legend=alt.Legend(
            orient="bottom", symbolFillColor=ink(), symbolStrokeColor=ink(), symbolOpacity=1
        ),
    )
    told = [
        "method:N",
        "year:Q",
        alt.Tooltip("value:Q", title=metric_name(metric), format=".2f"),
        *(alt.Tooltip(f"{n}:N") for n in ("backbone", "pretraining", "kind", "source")),
    ]
    points = alt.Chart(frame).encode(x=x, y=y, color=tint, shape=shapes, tooltip=told)
    steps = alt.Chart(line).mark_line(
        interpolate="step-after", strokeDash=[5, 4], color=NEUTRAL, strokeWidth=1.5
    )
    names = alt.Chart(beside).mark_text(align="left", dx=8, fontSize=11, limit=_NAME, color=ink())
    chart: alt.LayerChart = alt.layer(
        steps.encode(x=x, y=y),
        points.transform_filter("!datum.second_hand").mark_point(filled=True, size=80, opacity=0.9),
        points.transform_filter("datum.second_hand").mark_point(filled=False, size=80),
        names.encode(x=x, y=y, text="name:N"),
    )
    return chart


if __name__ == "__main__":
    show()
