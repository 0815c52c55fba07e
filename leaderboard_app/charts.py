"""A run's two curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

_HEIGHT = 250
_LEGEND = 40
_RANKS = (1, 5, 10, 20, 30, 40, 50)
_DOTTED_UP_TO = 30
_TIGHT = alt.Scale(zero=False, nice=False)


def cmc_chart(cmc: Sequence[float]) -> alt.Chart:
    """The share of queries with a match among the first r."""
    frame = pd.DataFrame({"rank": range(1, len(cmc) + 1), "matched": [100 * c for c in cmc]})
    chart: alt.Chart = (
        alt.Chart(frame, height=_HEIGHT)
        .mark_line()
        .encode(
            x=alt.X(
                "rank:Q",
                scale=alt.Scale(domain=[1, max(2, len(cmc))]),
                axis=alt.Axis(values=_RANKS),
            ),
            y=alt.Y("matched:Q", title="matched, %", scale=alt.Scale(domain=[0, 100])),
            tooltip=["rank:Q", alt.Tooltip("matched:Q", format=".2f")],
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
        alt.Chart(frame, height=_HEIGHT + _LEGEND)
        .mark_line(point=short)
        .encode(
            x=alt.X("epoch:Q", axis=alt.Axis(tickMinStep=1, format="d"), scale=_TIGHT),
            y=alt.Y("loss:Q"),
            color=alt.Color("term:N", title=None, legend=alt.Legend(orient="bottom", offset=2)),
            tooltip=["epoch:Q", "term:N", alt.Tooltip("loss:Q", format=".4f")],
        )
    )
    return chart
