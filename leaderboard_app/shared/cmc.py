"""Curves of runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from leaderboard_app.shared.look import CHART_HEIGHT, RUNS

_LEGEND, _LINE = 40, 36
_RANKS = (1, 5, 10, 20, 30, 40, 50)
_DOTTED_UP_TO = 30
_TIGHT = alt.Scale(zero=False, nice=False)


def cmc_chart(curves: Mapping[str, Sequence[float]]) -> alt.Chart:
    """The share of queries with a match among the first r, a line for each named curve."""
    rows = [
        {"run": name, "rank": rank, "matched": 100 * share}
        for name, cmc in curves.items()
        for rank, share in enumerate(cmc, start=1)
    ]
    longest = max(2, *(len(cmc) for cmc in curves.values()))
    # Full tens, and never only a sliver of the scale.
    low = min(80, *(math.floor(row["matched"] / 10) * 10 for row in rows))
    names = list(curves)
    lines = len(names) if len(names) > 1 else 0
    colour = alt.Color(
        "run:N",
        title=None,
        sort=names,
        scale=alt.Scale(domain=names, range=RUNS),
        legend=alt.Legend(orient="bottom", labelLimit=400, columns=1) if lines else None,
    )
    chart: alt.Chart = (
        alt.Chart(pd.DataFrame(rows), height=CHART_HEIGHT + _LINE * lines)
        .mark_line()
        .encode(
            x=alt.X(
                "rank:Q",
                scale=alt.Scale(domain=[1, longest]),
                axis=alt.Axis(values=_RANKS),
            ),
            y=alt.Y("matched:Q", title="matched, %", scale=alt.Scale(domain=[low, 100])),
            color=colour,
            tooltip=["run:N", "rank:Q", alt.Tooltip("matched:Q", format=".2f")],
        )
    )
    return chart


def loss_frame(training: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """One row for each epoch and loss term; entries that are no numbers are left out."""
    rows = []
    for entry in training:
        epoch, losses = entry.get("epoch"), entry.get("losses")
        if not (isinstance(epoch, int) and isinstance(losses, Mapping)):
            continue
        rows += [
            {"epoch": epoch, "term": str(term), "loss": loss}
            for term, loss in losses.items()
            if isinstance(loss, int | float)
        ]
    return pd.DataFrame(rows, columns=["epoch", "term", "loss"])


def loss_chart(frame: pd.DataFrame) -> alt.Chart:
    """The mean of each loss term, by epoch."""
    short = frame["epoch"].nunique() <= _DOTTED_UP_TO
    chart: alt.Chart = (
        alt.Chart(frame, height=CHART_HEIGHT + _LEGEND)
        .mark_line(point=short)
        .encode(
            x=alt.X("epoch:Q", axis=alt.Axis(tickMinStep=1, format="d"), scale=_TIGHT),
            y=alt.Y("loss:Q"),
            color=alt.Color(
                "term:N",
                title=None,
                scale=alt.Scale(range=RUNS),
                legend=alt.Legend(orient="bottom", offset=2, columns=4),
            ),
            tooltip=["epoch:Q", "term:N", alt.Tooltip("loss:Q", format=".4f")],
        )
    )
    return chart
