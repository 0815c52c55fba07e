"""Two or more runs held against each other: differences, queries, curves."""

from __future__ import annotations

import math

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from harness.base.errors import HarnessError
from harness.board.compare import Comparison, Pairing, compare
from harness.store import Stored
from leaderboard_app.shared.address import asked_all, several
from leaderboard_app.shared.cmc import cmc_chart
from leaderboard_app.shared.data import all_runs, stored
from leaderboard_app.shared.links import OTHER, QUERY, QUERY_PAGE, RUN, to_page
from leaderboard_app.shared.look import CHART_HEIGHT, NEUTRAL, ONE
from leaderboard_app.shared.states import show_error, show_nothing
from leaderboard_app.shared.text import METRIC_NAMES, literal

_MOST_SIDES = 6
_QUERIES = 12
_LINKS = 3


def show() -> None:
    """The whole page."""
    st.title("Compare runs", anchor=False)
    try:
        sides = _chosen()
        if sides is None:
            return
        found = _compared(tuple(_ids(side) for side in sides), sides)
    except HarnessError as error:
        show_error(error, "These runs do not compare")
        return
    st.caption(
        f"{literal(found.dataset)}, {literal(found.protocol)}. {literal(found.model)} Differences "
        "are of the later run less the first; p is Holm's where several are compared."
    )
    for pairing in found.pairings:
        _show_verdict(pairing)
        _show_lines(pairing)
    _show_curves(sides, [found.pairings[0].a, *(pairing.b for pairing in found.pairings)])
    for number, pairing in enumerate(found.pairings, start=1):
        _show_queries(pairing, sides[0], sides[number])


@st.cache_resource(max_entries=32, show_spinner="Comparing query by query")
def _compared(ids: tuple[str, ...], _sides: list[list[Stored]]) -> Comparison:
    # Records never change: their ids say everything.
    return compare(*_sides, queries=_QUERIES)


def _ids(side: list[Stored]) -> str:
    return ",".join(run.record.run_id for run in side)


def _chosen() -> list[list[Stored]] | None:
    """The sides: one run each, or the seeds of a row joined by commas in the address."""
    known = all_runs()
    if len(known) < 2:
        show_nothing("Fewer than two runs", "run", "--method", "ieee", "--seeds", "1,2")
        return None
    joined = [value for value in asked_all(RUN) if "," in value]
    words = {value: _seeds_in_words(value, known) for value in joined} | known
    valid = {v: w for v, w in words.items() if all(i in known for i in v.split(","))}
    chosen = several(
        "Runs, the first is the one the others are held against",
        list(valid),
        RUN,
        words=valid.__getitem__,
        most=_MOST_SIDES,
    )
    if len(chosen) < 2:
        st.info("Choose two runs or more; rows of the board can be picked and sent here.")
        return None
    return [[stored(run_id) for run_id in side.split(",")] for side in chosen]


def _seeds_in_words(value: str, known: dict[str, str]) -> str:
    ids = value.split(",")
    return f"{len(ids)} seeds of {known.get(ids[0], 'a run that is not here')}"


def _show_verdict(pairing: Pairing) -> None:
    st.subheader(f"{literal(pairing.b)} against {literal(pairing.a)}", anchor=False)
    st.text(pairing.verdict)


def _show_lines(pairing: Pairing) -> None:
    frame = pd.DataFrame(
        [
            {
                "metric": METRIC_NAMES.get(line.metric, line.metric),
                "first": line.a,
                "later": line.b,
                "difference": line.paired.difference,
                "low": line.paired.interval[0],
                "high": line.paired.interval[1],
                "p": line.p_corrected,
            }
            for line in pairing.lines
        ]
    )
    table, chart = st.columns([3, 2], gap="medium", vertical_alignment="center")
    number = st.column_config.NumberColumn
    with table:
        st.dataframe(
            frame,
            hide_index=True,
            column_config={
                "first": number(format="%.2f"),
                "later": number(format="%.2f"),
                "difference": number(format="%+.2f"),
                "low": number("95 % from", format="%+.2f"),
                "high": number("to", format="%+.2f"),
                "p": number(format="%.3f"),
            },
            alt=f"{pairing.b} against {pairing.a}",
        )
    with chart:
        if frame["low"].notna().all():
            st.altair_chart(_whiskers(frame), alt="Differences with their intervals")


def _whiskers(frame: pd.DataFrame) -> alt.LayerChart:
    order = list(frame["metric"])
    base = alt.Chart(frame).encode(y=alt.Y("metric:N", sort=order, title=None))
    zero = alt.Chart(pd.DataFrame({"x": [0]})).mark_rule(strokeDash=[4, 3], color=NEUTRAL)
    title = "difference, points; the bar is the 95 % interval"
    bars = base.mark_rule(strokeWidth=4, opacity=0.5, color=ONE).encode(
        x=alt.X("low:Q", title=title), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=70, color=ONE).encode(
        x="difference:Q",
        tooltip=[
            "metric:N",
            *(alt.Tooltip(f"{n}:Q", format="+.2f") for n in ("difference", "low", "high")),
        ],
    )
    chart: alt.LayerChart = (zero.encode(x="x:Q") + bars + points).properties(height=190)
    return chart


def _show_curves(sides: list[list[Stored]], names: list[str]) -> None:
    st.subheader("Cumulative matches", anchor=False)
    curves = {}
    for number, (side, name) in enumerate(zip(sides, names, strict=True), start=1):
        cmcs = [run.record.cmc for run in side if run.record.cmc]
        if cmcs:
            longest = max(map(len, cmcs))
            # A gallery shorter than the curve keeps its last value.
            padded = [[*cmc, *[cmc[-1]] * (longest - len(cmc))] for cmc in cmcs]
            curves[f"{number}: {name}"] = list(np.mean(padded, axis=0))
    if curves:
        st.altair_chart(cmc_chart(curves), alt="Matched queries by rank")


def _show_queries(pairing: Pairing, first: list[Stored], later: list[Stored]) -> None:
    st.subheader(f"Query by query: {literal(pairing.b)} against {literal(pairing.a)}", anchor=False)
    scatter, most = st.columns([2, 3], gap="medium")
    with scatter:
        st.altair_chart(_scatter(first, later, pairing), alt="Average precision, query by query")
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
