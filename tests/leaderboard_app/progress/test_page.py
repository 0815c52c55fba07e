"""The frontier of the field on a page."""

from __future__ import annotations

import re
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from harness.claims import load_claims
from tests.leaderboard_app.conftest import words_of

Open = Callable[..., AppTest]


def test_progress_names_the_frontier_and_what_is_not_shown(opened: Open) -> None:
    page = opened("progress", dataset="rgbnt201", rows="everything")
    assert len(page.get("vega_lite_chart")) == 2
    words = words_of(page)
    assert "PFNet · in TOP-ReID (AAAI 2024) (2021, 38.5)" in words
    assert "(2022, 46.4)" in words
    assert "more have no cost" in words


def test_the_clean_frontier_passes_nothing_that_used_the_test_set(opened: Open) -> None:
    claims = {(c.method, c.year, c.mAP): c for c in load_claims() if c.dataset == "rgbnt201"}
    page = opened("progress", dataset="rgbnt201")
    said = page.text[-1].value
    passed = re.findall(r"(.+?) \((\d{4}), ([\d.]+)\)(?:, |$)", said)
    assert len(passed) > 1
    for method, year, value in passed:
        (claim,) = {
            c.id: c
            for (name, when, mAP), c in claims.items()
            if name == method.partition(" · ")[0]
            and when == int(year)
            and mAP is not None
            and f"{mAP:.1f}" == value
        }.values()
        assert not set(claim.tags) & {"second-hand", "test-selection", "test-camera"}, claim.id
        assert not claim.variant
    spec = page.get("vega_lite_chart")[0].proto.spec
    assert "!datum.second_hand" in spec
    assert "Clean: as far as is known" in words_of(page)


def test_progress_takes_metric_and_colour_from_the_address(opened: Open) -> None:
    page = opened("progress", dataset="rgbnt201", metric="R1", colour="backbone", cost="gflops")
    assert "Rank-1 by year of publication" in words_of(page)
