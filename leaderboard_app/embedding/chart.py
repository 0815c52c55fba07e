"""Descriptors as points of a chart: laid out once for what is chosen, for all sessions."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from harness.evidence.features_file import Side
from leaderboard_app.embedding.projection import points
from leaderboard_app.shared.look import IDENTITIES

SAMPLES_EACH = 40
"""Of one identity at most."""

_SHAPES = {"RGB": "circle", "NI": "triangle-up", "TI": "square"}


@st.cache_data(max_entries=32, show_spinner="Laying out the descriptors")
def laid_out(
    run_id: str,
    pids: tuple[int, ...],
    seed: int,
    _gallery: Side,
    _columns: dict[str, tuple[int, int]],
) -> pd.DataFrame:
    """The points of these identities; a record never changes, so its id stands for the rest."""
    return points(_gallery, _columns, pids, SAMPLES_EACH, seed)


def chart(frame: pd.DataFrame) -> alt.Chart:
    """Identities by colour, modalities by shape."""
    modalities = list(dict.fromkeys(frame["modality"]))
    shapes = [_SHAPES.get(m, "circle") for m in modalities]
    bare = alt.Axis(labels=False, ticks=False, grid=False, title=None)
    drawn: alt.Chart = (
        alt.Chart(frame)
        .mark_point(filled=True, size=70, opacity=0.85)
        .encode(
            x=alt.X("x:Q", axis=bare, scale=alt.Scale(zero=False)),
            y=alt.Y("y:Q", axis=bare, scale=alt.Scale(zero=False)),
            color=alt.Color(
                "identity:N",
                scale=alt.Scale(range=IDENTITIES),
                legend=alt.Legend(orient="bottom", columns=5),
            ),
            shape=alt.Shape(
                "modality:N",
                scale=alt.Scale(domain=modalities, range=shapes),
                legend=None,
            ),
            tooltip=["identity:N", "modality:N", "name:N"],
        )
        .interactive()
    )
    return drawn
