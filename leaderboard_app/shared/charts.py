"""Charts on a page, with words that can be read on its ground."""

from __future__ import annotations

from typing import Any

import streamlit as st

from leaderboard_app.shared.look import ink


def show_chart(chart: Any, alt: str, **place: Any) -> None:
    """Draw a chart of Altair.

    Args:
        chart: Without settings of its own for axes and legends.
        alt: What it shows, in words.
        place: For Streamlit, such as a height.
    """
    st.altair_chart(with_ink(chart, ink()), alt=alt, **place)


def with_ink(chart: Any, colour: str) -> Any:
    """A chart of Altair whose axes and legends are written in this colour."""
    words = {"labelColor": colour, "titleColor": colour}
    return chart.configure_axis(**words).configure_legend(**words).configure_header(**words)
