"""Colours and sizes that all pages share."""

from __future__ import annotations

import streamlit as st

# Okabe and Ito's palette, which colour-blind people can tell apart, then three more.
IDENTITIES = [
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#b8a600",
    "#7f7f7f",
    "#6a3d9a",
    "#8c510a",
]
ACCENT = "#2f78ad"
"""The one accent colour: 4.7 : 1 on white, 4 : 1 on the dark ground."""
RUNS = [ACCENT, "#d55e00", "#009e73", "#cc79a7", "#b8a600", "#56b4e9"]
ONE = ACCENT
"""Of a chart that shows one thing."""
NEUTRAL = "#7f7f7f"
"""Of lines and legends that must be seen on white and on black; Vega's own black is not."""
CHANCE_DASH = [2, 3]
TRUST_COLOURS = {
    "claimed": "gray",
    "evaluated": "gray",
    "reported": "blue",
    "rescored": "violet",
    "rerun": "green",
}
TRUST_MARKS = {"claimed": "◇", "evaluated": "◌", "reported": "○", "rescored": "◐", "rerun": "●"}
"""Fuller where more was checked; a claim's is the diamond of the pictures."""
SELECTION_COLOURS = {"last": "gray", "validation": "blue", "test": "orange"}

ROW_PIXELS = 35
CHART_HEIGHT = 260

# Axes and legends of charts, at 7 : 1 on the page's own ground.
INK, INK_ON_DARK = "#3d424c", "#c9ced6"


def ink() -> str:
    """The colour of a chart's words on the page as its visitor has it."""
    return INK_ON_DARK if st.context.theme.type == "dark" else INK
