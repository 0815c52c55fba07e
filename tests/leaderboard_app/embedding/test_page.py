"""Descriptors in the plane, on a page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.leaderboard_app.conftest import words_of

Open = Callable[..., AppTest]


def test_the_embedding_draws_the_identities_of_the_address(opened: Open, finished: Path) -> None:
    page = opened("embedding", finished)
    assert len(page.get("vega_lite_chart")) == 1
    assert "gives no descriptor for each modality alone" in words_of(page)
    known = page.multiselect(key="identity").options
    page.multiselect(key="identity").set_value(known[:2]).run()
    assert list(page.query_params["identity"]) == known[:2]
    assert "8 points of the gallery" in words_of(page)


def test_an_embedding_without_evidence_says_how_to_make_some(opened: Open) -> None:
    assert "No run here has stored descriptors" in words_of(opened("embedding"))
