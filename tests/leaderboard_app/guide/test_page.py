"""The guides on a page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from leaderboard_app.guide.page import GUIDES
from tests.leaderboard_app.conftest import words_of

Open = Callable[..., AppTest]


def test_a_guide_is_read_on_the_page(opened: Open) -> None:
    page = opened("guide", guide="trust")
    assert "# How far a number can be trusted" in words_of(page)


@pytest.mark.parametrize("name", GUIDES)
def test_every_guide_is_there(name: str) -> None:
    assert (Path("docs") / f"{name}.md").is_file()
