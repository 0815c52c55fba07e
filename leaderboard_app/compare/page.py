"""Two or more runs held against each other: settings, differences, identities, queries, curves."""

from __future__ import annotations

import numpy as np
import streamlit as st

from harness.base.errors import HarnessError
from harness.board.compare import Comparison
from harness.store import Stored
from leaderboard_app.compare.differences import show_differences
from leaderboard_app.compare.queries import show_queries
from leaderboard_app.compare.settings import show_settings
from leaderboard_app.compare.sides import chosen_sides, compared
from leaderboard_app.shared.address import NotHereError
from leaderboard_app.shared.charts import show_chart
from leaderboard_app.shared.cmc import cmc_chart
from leaderboard_app.shared.states import show_error
from leaderboard_app.shared.text import literal


def show() -> None:
    """The whole page."""
    st.title("Compare runs", anchor=False)
    try:
        sides = chosen_sides()
        if sides is None:
            return
        found = compared(sides)
    except NotHereError:
        raise
    except HarnessError as error:
        show_error(error, "These runs do not compare")
        return
    names = [found.pairings[0].a, *(pairing.b for pairing in found.pairings)]
    st.caption(_model(found))
    show_settings(sides, names)
    for pairing in found.pairings:
        show_differences(pairing)
    for number, pairing in enumerate(found.pairings, start=1):
        show_queries(pairing, sides[0], sides[number])
    _show_curves(sides, names)


def _model(found: Comparison) -> str:
    several = " p is Holm's over the runs compared." if len(found.pairings) > 1 else ""
    return (
        f"{literal(found.dataset)}, {literal(found.protocol)}. {literal(found.model)} Every "
        f"difference is of the later run less the first, {literal(found.pairings[0].a)}.{several}"
    )


def _show_curves(sides: list[list[Stored]], names: list[str]) -> None:
    st.subheader("Cumulative matches", anchor=False)
    curves = {}
    for number, (side, name) in enumerate(zip(sides, names, strict=True), start=1):
        cmcs = [run.record.cmc for run in side if run.record.cmc]
        if cmcs:
            longest = max(map(len, cmcs))
            # A gallery shorter than the curve keeps its last value.
            padded = [[*cmc, *[cmc[-1]] * (longest - len(cmc))] for cmc in cmcs]
            curves[f"{number}: {name}"] = list(np.mean(padded, axis=0))
    if curves:
        show_chart(cmc_chart(curves), alt="Matched queries by rank")


if __name__ == "__main__":
    show()
