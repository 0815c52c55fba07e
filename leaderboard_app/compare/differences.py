"""What two sides differ in, metric by metric."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from harness.board.compare import Pairing, p_words
from leaderboard_app.shared.charts import show_chart
from leaderboard_app.shared.look import NEUTRAL, ONE
from leaderboard_app.shared.text import literal, metric_name


def show_differences(pairing: Pairing) -> None:
    """The verdict, the numbers behind it and their intervals."""
    st.subheader(f"{literal(pairing.b)} against {literal(pairing.a)}", anchor=False)
    st.text(pairing.verdict)
    won, tied, lost = pairing.identities
    st.text(f"By identity, {pairing.b} wins {won}, ties {tied} and loses {lost}.")
    first, later = sides_named(pairing)
    frame = pd.DataFrame(
        [
            {
                "metric": metric_name(line.metric),
                first: line.a,
                later: line.b,
                "difference": line.paired.difference,
                "low": line.paired.interval[0],
                "high": line.paired.interval[1],
                "p": p_words(line.p_corrected).removeprefix("p = ").removeprefix("p "),
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
                first: number(format="%.2f"),
                later: number(format="%.2f"),
                "difference": number("later less first", format="%+.2f"),
                "low": number("95 % from", format="%+.2f"),
                "high": number("to", format="%+.2f"),
            },
            alt=f"{pairing.b} against {pairing.a}",
        )
    with chart:
        if frame["low"].notna().all():
            show_chart(_whiskers(frame), alt="Differences with their intervals")


def sides_named(pairing: Pairing) -> tuple[str, str]:
    """What the columns of the two sides are called; two that are called alike are numbered."""
    if pairing.a != pairing.b:
        return pairing.a, pairing.b
    return f"1: {pairing.a}", f"2: {pairing.b}"


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
