"""t-SNE of descriptors, coloured by identity and shaped by modality."""

from __future__ import annotations

import numpy as np
import streamlit as st

from harness.base.errors import HarnessError
from leaderboard_app.embedding.chart import SAMPLES_EACH, chart, laid_out
from leaderboard_app.embedding.projection import drawable
from leaderboard_app.shared.address import several, whole
from leaderboard_app.shared.charts import show_chart
from leaderboard_app.shared.chosen import chosen_run, runs_with_evidence
from leaderboard_app.shared.data import evidence_of, stored
from leaderboard_app.shared.states import show_error
from leaderboard_app.shared.text import literal

IDENTITY, SEED = "identity", "draw"

# As many as Figure 7 of the paper; ten colours can still be told apart.
_AT_FIRST, _AT_MOST = 6, 10


def show() -> None:
    """The whole page."""
    st.title("Embedding", anchor=False)
    choices = runs_with_evidence()
    if not choices:
        return
    left, right = st.columns([3, 1])
    with left:
        run_id = chosen_run(choices, resets=(IDENTITY,))
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
    frame = laid_out(run_id, pids, seed, gallery, columns)
    if frame.empty:
        st.info("Too few descriptors for a picture: choose more identities.")
        return
    show_chart(chart(frame), alt="Descriptors in the plane", height=620)
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
        f"{what}; {count} points of the gallery in one joint t-SNE, up to {SAMPLES_EACH} samples "
        "of an identity. Distances between far groups mean nothing in t-SNE."
    )


if __name__ == "__main__":
    show()
