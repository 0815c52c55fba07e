"""The loss of a run, term by term."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt
import pandas as pd

from leaderboard_app.shared.look import CHART_HEIGHT, ONE, ink

# With title and axes: Streamlit fits the whole into them.
_WIDTH, _SMALL = 170, 170
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


def loss_charts(frame: pd.DataFrame) -> dict[str, alt.Chart]:
    """The mean of each loss term by epoch: a chart for each, on a scale of its own."""
    short = frame["epoch"].nunique() <= _DOTTED_UP_TO
    terms = list(frame["term"].unique())
    return {
        term: alt.Chart(
            frame[frame["term"] == term],
            title=alt.Title(term, fontSize=11, fontWeight="normal", color=ink()),
            width=_WIDTH,
            height=CHART_HEIGHT if len(terms) == 1 else _SMALL,
        )
        .mark_line(point=short, color=ONE)
        .encode(
            x=alt.X("epoch:Q", axis=alt.Axis(tickMinStep=1, format="d"), scale=_TIGHT),
            y=alt.Y("loss:Q", title=None, scale=alt.Scale(zero=False)),
            tooltip=["epoch:Q", "term:N", alt.Tooltip("loss:Q", format=".4f")],
        )
        for term in terms
    }
