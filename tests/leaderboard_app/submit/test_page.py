"""Uploads: verified step by step, shown, and added only with the token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from harness.evidence.trust import Trust
from harness.store import STORE_NAME, Store
from leaderboard_app.submit import checks
from tests.leaderboard_app.conftest import Bundles, words_of

Open = Callable[..., AppTest]

TOKEN = "known to few"


@pytest.fixture
def allowed(opened: Open, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page of a server that lets those who know the token add bundles."""
    monkeypatch.setenv("HARNESS_SUBMIT_TOKEN", TOKEN)
    return opened("submit", options=["--allow-submit"])


def _upload(page: AppTest, bundle: Path) -> AppTest:
    page.file_uploader(key="bundle").set_value(("run.zip", bundle.read_bytes(), "application/zip"))
    page.run()
    assert not page.exception
    return page


def _add(page: AppTest, token: str) -> AppTest:
    page.text_input(key="token").set_value(token)
    page.button[0].click()
    page.run()
    assert not page.exception
    return page


def test_before_an_upload_the_page_says_what_it_will_do(opened: Open) -> None:
    page = opened("submit")
    assert page.code[0].value == "harness submit RUN"
    assert "read-only" in words_of(page)
    assert not page.dataframe


def test_a_good_bundle_shows_every_step_and_its_row(
    opened: Open, tmp_path: Path, bundles: Bundles
) -> None:
    page = _upload(opened("submit"), bundles.good)
    words = words_of(page)
    for step in ("archive", "fields", "evidence features", "metrics mAP", "rank lists"):
        assert f":green[✓] {step}" in words
    # What was not checked is not said to hold: a bundle has no weights.
    assert ":gray[–] weights: " in words
    assert ":red[" not in words
    assert "checks hold; " in words
    assert "The row it makes" in words
    assert "metric" in page.dataframe[0].value
    assert "read-only, so the row is not added" in words
    assert not page.button and not page.text_input
    assert not list(tmp_path.iterdir())


def test_a_bundle_with_another_number_in_it_is_refused(allowed: AppTest, bundles: Bundles) -> None:
    page = _upload(allowed, bundles.bad)
    words = words_of(page)
    assert ":red[✗] metrics mAP: the record says 99" in words
    assert "checks fail: this is not accepted" in words
    assert not page.dataframe
    assert not page.button and not page.text_input


def test_what_is_no_archive_is_refused(opened: Open, tmp_path: Path) -> None:
    no_zip = tmp_path / "a.zip"
    no_zip.write_text("<b>no</b> [archive](javascript:alert(1))")
    page = _upload(opened("submit"), no_zip)
    words = words_of(page)
    assert ":red[✗] archive" in words
    assert "1 of 1 checks fail" in words


def test_only_the_right_token_adds_it(allowed: AppTest, tmp_path: Path, bundles: Bundles) -> None:
    page = _upload(allowed, bundles.good)
    assert "is not the token" not in words_of(page)
    for wrong in ("", "guessed", f"{TOKEN} "):
        assert "That is not the token" in words_of(_add(page, wrong))
    assert not Store(tmp_path / STORE_NAME).all()
    assert "Added." in words_of(_add(page, TOKEN))
    (run,) = Store(tmp_path / STORE_NAME).all()
    assert (run.record.run_id, run.trust) == (bundles.run_id, Trust.RESCORED)
    assert "It was there already." in words_of(_add(page, TOKEN))
    assert len(Store(tmp_path / STORE_NAME).all()) == 1


def test_typing_a_token_does_not_verify_again(
    allowed: AppTest, bundles: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = _upload(allowed, bundles.good)

    def never(*_: object) -> None:
        raise AssertionError("verified again")

    monkeypatch.setattr(checks, "verify_bundle", never)
    page = _add(page, "guessed")
    assert ":green[✓] archive" in words_of(page)
