"""The curves of cumulative matches (CMC) of one run or several."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from leaderboard_app.shared.look import CHART_HEIGHT, RUNS

_LINE = 36
_RANKS = (1, 5, 10, 20, 30, 40, 50)


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
