"""Runs held against each other on a page."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from harness.board.compare import compare
from harness.evidence.record import METRICS, RunRecord
from harness.store import STORE_NAME, Store
from tests.leaderboard_app.conftest import words_of
from tests.leaderboard_app.runs import harness_run

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]


@pytest.fixture
def two(add_run: AddRun) -> tuple[RunRecord, RunRecord]:
    """Two runs on the same queries."""
    first = add_run(method="one")
    values = dict(first.per_query.model_dump())
    values["ap"] = [None if v is None else min(1.0, v + 0.2) for v in values["ap"]]
    return first, add_run(method="two", per_query=values, mAP=70.0)


def test_fewer_than_two_runs_say_so(opened: Open, add_run: AddRun) -> None:
    add_run()
    assert "Fewer than two runs" in words_of(opened("compare"))


def test_nothing_chosen_offers_the_comparison_that_is_likely(
    opened: Open, two: tuple[RunRecord, RunRecord]
) -> None:
    page = opened("compare")
    assert "Choose two runs or more" in words_of(page)
    page.button[0].click().run()
    # The better one first.
    assert page.query_params["run"] == [two[1].run_id, two[0].run_id]
    assert "Settings that differ" in words_of(page)


def test_settings_that_differ_stand_on_top(opened: Open, add_run: AddRun) -> None:
    recipe = {"name": "smoke", "epochs": 3, "optimiser": {"name": "adam", "lr": 0.001}}
    other = {**recipe, "optimiser": {"name": "adam", "lr": 0.01}, "sampler": {"identities": 4}}
    ids = [
        add_run(recipe=one, recipe_hash=key * 64).run_id
        for key, one in (("1", recipe), ("2", other))
    ]
    lines = opened("compare", run=ids).dataframe[0].value.set_index("setting")
    assert list(lines.index) == ["optimiser.lr", "sampler.identities"]
    assert list(lines.loc["optimiser.lr"]) == ["0.001", "0.01"]


def test_the_ranked_lists_of_the_query_that_differs_most_are_there(
    opened: Open, finished: Path
) -> None:
    runs = Store(finished / STORE_NAME).all()
    page = opened("compare", finished, run=[run.record.run_id for run in runs[:2]])
    assert len(page.get("image")) == 1 + 2 * 5
    assert "The query that differs most" in words_of(page)


def test_the_first_runs_list_stands_beside_each_of_the_others(
    opened: Open, finished: Path, tiny: Path, drawn: Path, tmp_path: Path
) -> None:
    out = tmp_path / "three"
    shutil.copytree(finished, out)
    harness_run(tiny, out, "--dataset", str(drawn), "--recipe", "smoke", "--seeds", "3")
    runs = [run.record.run_id for run in Store(out / STORE_NAME).all()]
    page = opened("compare", out, run=runs)
    assert len(runs) == 3 and len(page.get("image")) == 2 * (1 + 2 * 5)


def test_the_page_says_what_the_command_says(
    opened: Open, two: tuple[RunRecord, RunRecord], tmp_path: object
) -> None:
    ids = [r.run_id for r in two]
    page = opened("compare", run=ids)
    store = Store(tmp_path / STORE_NAME)  # type: ignore[operator]
    (pairing,) = compare(*(store.get(i) for i in ids)).pairings
    shown = page.dataframe[1].value
    assert list(shown["difference"]) == [line.paired.difference for line in pairing.lines]
    assert list(shown[pairing.b]) == [line.b for line in pairing.lines]
    assert "0.000" not in set(shown["p"])
    assert pairing.verdict in words_of(page)
    # Every one of four identities gained: the eight valid queries are theirs, two each.
    assert "wins 4, ties 0 and loses 0" in words_of(page)
    assert [q.name for q in pairing.queries[:3]] == list(page.dataframe[2].value["name"][:3])
    links = [link.proto.query_string for link in page.get("page_link")]
    assert links[0] == f"run={ids[0]}&with={ids[1]}&query={pairing.queries[0].name}"


def test_seeds_of_a_row_are_one_side(
    opened: Open, two: tuple[RunRecord, RunRecord], add_run: AddRun
) -> None:
    third = add_run(method="one", seed=2)
    page = opened("compare", run=[f"{two[0].run_id},{third.run_id}", two[1].run_id])
    assert "seeds are drawn too" in words_of(page)
    assert set(page.dataframe[1].value["metric"]) == {"mAP", "Rank-1", "Rank-5", "Rank-10", "mINP"}
    assert len(page.dataframe[1].value) == len(METRICS)


def test_runs_on_other_data_do_not_compare(
    opened: Open, two: tuple[RunRecord, RunRecord], add_run: AddRun
) -> None:
    other = add_run(data="b")
    page = opened("compare", run=[two[0].run_id, other.run_id])
    assert not page.dataframe
    assert "do not compare" in words_of(page)
    assert "data" in page.markdown[0].value
