"""The loss of a run, term by term."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt
import pandas as pd

from leaderboard_app.shared.look import CHART_HEIGHT, RUNS

_LEGEND = 40
_DOTTED_UP_TO = 30
_TIGHT = alt.Scale(zero=False, nice=False)


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
