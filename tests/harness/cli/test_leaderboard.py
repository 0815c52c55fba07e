"""What leaderboard and exports say where there is little: no runs, no pictures, one name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Harness


def test_published_numbers_need_no_runs_folder(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = harness("leaderboard", "--text")
    assert text.code == 0 and "no runs in runs yet" in text.out
    latex = harness("export", "--dataset", "rgbnt201", "--protocol", "full", "--format", "latex")
    assert latex.code == 0 and r"\toprule" in latex.out
    assert not (tmp_path / "runs").exists(), "looking makes nothing"
    # A folder that was named must be there: it may be a slip of the hand.
    assert harness("leaderboard", "--text", "--out", "rnus").code == 2


def test_a_data_set_named_alone_prints_its_fullest_table_and_names_the_others(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = harness("leaderboard", "--text", "--dataset", "rgbnt201").out
    titles = [line for line in text.splitlines() if "published numbers only" in line]
    assert len(titles) == 1 and "rgbnt201 · full" in titles[0]
    assert "--protocol with one of" in text and "-NI-TI (" in text
    every = harness("leaderboard", "--json", "--dataset", "rgbnt201").json["tables"]
    assert len(every) > 10 and "full" in {one["protocol"] for one in every}


def test_pictures_that_are_not_there_are_refused_before_the_page_starts(harness: Harness) -> None:
    answer = harness("leaderboard", "--data", "/nosuch", "--json")
    assert answer.code == 0, "the tables alone show no pictures"
    answer = harness("leaderboard", "--data", "/nosuch")
    assert answer.code == 2 and "there is no folder /nosuch" in answer.err


def test_a_run_of_an_empty_store_is_not_one_of_nothing(harness: Harness, tmp_path: Path) -> None:
    error = harness("show", "run", "abc", "--out", tmp_path, "--json").error
    assert error["expected"] == "the name of a run; there is none yet"
    assert error["do"] == "make one: harness run --method ieee"
