"""A run's metrics, intervals and chance levels."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from harness.evidence.record import METRICS, RunRecord
from harness.export import interval
from leaderboard_app.shared.text import metric_name


def show_metrics(record: RunRecord, alt: str) -> None:
    """The table of them."""
    column = st.column_config
    st.dataframe(
        metrics_frame(record.metrics, record.intervals, record.chance),
        hide_index=True,
        column_config={
            "%": column.NumberColumn(format="%.2f"),
            "interval": column.TextColumn("95 % interval", alignment="right"),
            "chance": column.NumberColumn(format="%.2f"),
        },
        alt=alt,
    )


def metrics_frame(
    metrics: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float] | None],
    chance: Mapping[str, float],
) -> pd.DataFrame:
    """A line for each metric."""
    return pd.DataFrame(
        {
            "metric": [metric_name(m) for m in METRICS],
            "%": [metrics.get(m) for m in METRICS],
            "interval": [interval(intervals.get(m)) for m in METRICS],
            "chance": [chance.get(m) for m in METRICS],
        }
    )
