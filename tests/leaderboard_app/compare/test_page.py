"""Runs held against each other on a page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from harness.board.compare import compare
from harness.evidence.record import METRICS, RunRecord
from harness.store import STORE_NAME, Store
from tests.leaderboard_app.conftest import words_of

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


def test_nothing_chosen_asks_for_a_choice(opened: Open, two: tuple[RunRecord, RunRecord]) -> None:
    assert "Choose two runs or more" in words_of(opened("compare"))


def test_the_page_says_what_the_command_says(
    opened: Open, two: tuple[RunRecord, RunRecord], tmp_path: object
) -> None:
    ids = [r.run_id for r in two]
    page = opened("compare", run=ids)
    store = Store(tmp_path / STORE_NAME)  # type: ignore[operator]
    (pairing,) = compare(*(store.get(i) for i in ids)).pairings
    shown = page.dataframe[0].value
    assert list(shown["difference"]) == [line.paired.difference for line in pairing.lines]
    assert list(shown["p"]) == [line.p_corrected for line in pairing.lines]
    assert pairing.verdict in words_of(page)
    assert [q.name for q in pairing.queries[:3]] == list(page.dataframe[1].value["name"][:3])
    links = [link.proto.query_string for link in page.get("page_link")]
    assert links[0] == f"run={ids[0]}&with={ids[1]}&query={pairing.queries[0].name}"


def test_seeds_of_a_row_are_one_side(
    opened: Open, two: tuple[RunRecord, RunRecord], add_run: AddRun
) -> None:
    third = add_run(method="one", seed=2)
    page = opened("compare", run=[f"{two[0].run_id},{third.run_id}", two[1].run_id])
    assert "seeds are drawn too" in words_of(page)
    assert set(page.dataframe[0].value["metric"]) == {"mAP", "Rank-1", "Rank-5", "Rank-10", "mINP"}
    assert len(page.dataframe[0].value) == len(METRICS)


def test_runs_on_other_data_do_not_compare(
    opened: Open, two: tuple[RunRecord, RunRecord], add_run: AddRun
) -> None:
    other = add_run(data="b")
    page = opened("compare", run=[two[0].run_id, other.run_id])
    assert not page.dataframe
    assert "do not compare" in words_of(page)
    assert "data" in page.markdown[0].value
