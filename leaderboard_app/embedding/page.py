"""t-SNE of descriptors, coloured by identity and shaped by modality."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from harness.base.errors import HarnessError
from harness.evidence.features_file import Side
from leaderboard_app.embedding.projection import drawable, points
from leaderboard_app.shared.address import choice, several, whole
from leaderboard_app.shared.data import evidence_of, run_choices, stored
from leaderboard_app.shared.links import RUN
from leaderboard_app.shared.look import IDENTITIES
from leaderboard_app.shared.states import show_error, show_nothing
from leaderboard_app.shared.text import literal

IDENTITY, SEED = "identity", "draw"

_SHAPES = {"RGB": "circle", "NI": "triangle-up", "TI": "square"}
# As many as Figure 7 of the paper; ten colours can still be told apart.
_AT_FIRST, _AT_MOST = 6, 10
_SAMPLES_EACH = 40


def show() -> None:
    """The whole page."""
    st.title("Embedding", anchor=False)
    choices = run_choices()
    if not choices:
        show_nothing("No run here has stored descriptors yet", "run", "--method", "ieee")
        return
    left, right = st.columns([3, 1])
    with left:
        run_id = choice("Run", list(choices), RUN, words=choices.__getitem__)
    with right:
        seed = whole("Seed of t-SNE", SEED, 0, 9999, 0)
    try:
        gallery = evidence_of(run_id).gallery
    except HarnessError as error:
        show_error(error, "The stored descriptors cannot be read")
        return
    known = [str(p) for p in np.unique(gallery.labels.pids)]
    chosen = several(
        f"Identities (at most {_AT_MOST})",
        known,
        IDENTITY,
        placeholder=f"The first {_AT_FIRST}",
        most=_AT_MOST,
    )[:_AT_MOST]
    pids = tuple(int(p) for p in chosen or known[:_AT_FIRST])
    record = stored(run_id).record
    columns = drawable(record.cost.get("modality_columns"), gallery.features.shape[1])
    frame = _points(run_id, pids, seed, gallery, columns)
    if frame.empty:
        st.info("Too few descriptors for a picture: choose more identities.")
        return
    st.altair_chart(_chart(frame), alt="Descriptors in the plane", height=620)
    _say_what_it_is(columns, len(frame), record.method)


def _say_what_it_is(columns: dict[str, tuple[int, int]], count: int, method: str) -> None:
    what = (
        "Each modality's part of the descriptor is a point of its own: RGB a circle, NI a "
        "triangle, TI a square"
        if columns
        else f"{literal(method)} gives no descriptor for each modality alone, so a point is a "
        "whole descriptor"
    )
    st.caption(
        f"{what}; {count} points of the gallery in one joint t-SNE, up to {_SAMPLES_EACH} samples "
        "of an identity. Distances between far groups mean nothing in t-SNE."
    )


@st.cache_data(max_entries=32, show_spinner="Laying out the descriptors")
def _points(
    run_id: str,
    pids: tuple[int, ...],
    seed: int,
    _gallery: Side,
    _columns: dict[str, tuple[int, int]],
) -> pd.DataFrame:
    return points(_gallery, _columns, pids, _SAMPLES_EACH, seed)


def _chart(frame: pd.DataFrame) -> alt.Chart:
    modalities = list(dict.fromkeys(frame["modality"]))
    shapes = [_SHAPES.get(m, "circle") for m in modalities]
    bare = alt.Axis(labels=False, ticks=False, grid=False, title=None)
    chart: alt.Chart = (
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
    return chart
