"""A method on a page of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from harness.evidence.record import RunRecord
from harness.spec.plugins import load_plugins
from leaderboard_app.shared.readme import as_html, readme_of, words_alone
from tests.leaderboard_app.conftest import words_of

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]


def test_a_method_has_its_paper_its_numbers_and_its_departures(
    opened: Open, add_run: AddRun
) -> None:
    run = add_run(method="demo", dataset="rgbnt201")
    page = opened("method", method="demo")
    words = words_of(page)
    assert "Mixture of Experts" in words
    assert "its image is zero after normalisation" in words
    assert "where ours departs" in words
    assert "Authors' code: MIT." in words
    assert "https://github.com/924973292/DeMo" in [b.proto.url for b in page.get("link_button")]
    published, ours = (frame.value for frame in page.dataframe[:2])
    assert 79.0 in set(published["mAP"])
    assert list(ours["mAP"]) == [50.0]
    links = [link.proto.query_string for link in page.get("page_link")]
    assert f"run={run.run_id}" in links


@pytest.mark.parametrize("name", sorted(load_plugins().methods))
def test_every_method_has_a_readme(name: str) -> None:
    assert readme_of(load_plugins().methods[name]).startswith("# ")


def test_a_readme_fetches_nothing_and_runs_nothing() -> None:
    text = (
        "![seen](https://e.org/track.png)\n\n<script>alert(1)</script>\n\n"
        "[x](javascript:alert(1)) [y](https://e.org)\n"
    )
    assert "track.png" not in words_alone(text)
    assert words_alone("see [theirs](../other/README.md).") == "see theirs."
    made = as_html(text)
    assert "<script" not in made and "<img" not in made
    assert 'href="javascript' not in made
    assert '<a href="https://e.org">y</a>' in made
