"""The frontier of the field on a page."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from tests.leaderboard_app.conftest import words_of

Open = Callable[..., AppTest]


def test_progress_names_the_frontier_and_what_is_not_shown(opened: Open) -> None:
    page = opened("progress", dataset="rgbnt201")
    assert len(page.get("vega_lite_chart")) == 2
    words = words_of(page)
    assert "PFNet · in TOP-ReID (AAAI 2024) (2021, 38.5)" in words
    assert "(2022, 46.4)" in words
    assert "more have no cost" in words


def test_progress_takes_metric_and_colour_from_the_address(opened: Open) -> None:
    page = opened("progress", dataset="rgbnt201", metric="R1", colour="backbone", cost="gflops")
    assert "Rank-1 by year of publication" in words_of(page)
