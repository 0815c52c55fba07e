"""The board stands whatever happens to the store, and whatever one record in it says."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from harness.base.errors import StoreError
from harness.board import BoardRow, BoardTable
from harness.evidence.record import RunRecord
from harness.store import STORE_NAME, Store
from leaderboard_app.board import grid
from leaderboard_app.board.columns import CHANCE
from leaderboard_app.shared import ranks
from tests.harness.records import make
from tests.leaderboard_app.conftest import words_of
from tests.postgres import PASSWORD, Server, running

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]

DRAWN = "drawn@1234"


def _methods(page: AppTest) -> set[str]:
    assert not page.exception, page.exception
    return set(page.dataframe[0].value["method"]) - {CHANCE}


def test_a_run_that_is_added_between_two_clicks_is_there(opened: Open, add_run: AddRun) -> None:
    add_run(dataset=DRAWN, method="one")
    page = opened(dataset=DRAWN)
    assert _methods(page) == {"one"}
    add_run(dataset=DRAWN, method="two", mAP=60.0)
    page.run()
    assert _methods(page) == {"one", "two"}
    assert set(page.dataframe[0].value["rank"][:2]) <= {"1", "1–2", "2"}


def test_a_store_that_goes_between_two_clicks_leaves_the_published_numbers(
    opened: Open, add_run: AddRun, tmp_path: Path
) -> None:
    add_run(dataset=DRAWN)
    page = opened(dataset=DRAWN)
    (tmp_path / STORE_NAME).unlink()
    page.run()
    # The address still names the data that are gone; no other's numbers stand under it.
    assert "Not in this store" in words_of(page)
    page = opened()
    assert len(page.dataframe[0].value) > 30
    assert page.selectbox(key="dataset").value == "rgbnt201"


def test_a_store_that_another_takes_the_place_of_is_read_anew(
    opened: Open, add_run: AddRun, tmp_path: Path
) -> None:
    add_run(dataset=DRAWN, method="one")
    page = opened(dataset=DRAWN)
    other = Store(tmp_path / "other.db")
    other.add(make(method="two", dataset={"label": DRAWN, "data_hash": "d" * 64}), tmp_path / "r")
    (tmp_path / "other.db").replace(tmp_path / STORE_NAME)
    page.run()
    assert _methods(page) == {"two"}


def test_ranks_that_cannot_be_read_this_time_are_there_the_next(
    opened: Open, add_run: AddRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run(dataset=DRAWN)
    with monkeypatch.context() as patch:
        patch.setattr(ranks, "per_query", _locked)
        page = opened(dataset=DRAWN)
    assert _methods(page) == {"tiny"}
    assert "cannot be ranked" in page.warning[0].value
    page.run()
    assert not page.warning
    assert page.dataframe[0].value["rank"][0] == "1"


def _locked(run_ids: object, settings: object) -> Any:
    raise StoreError("the store is locked", "a store that is not", "wait")


def test_a_table_stands_before_its_ranks_do(
    opened: Open, add_run: AddRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_run(dataset=DRAWN)
    before: list[bool] = []
    real, ranks_of = ranks.rank_table, ranks.ranked

    def slow(*given: Any) -> BoardTable:
        assert go_on.wait(30)
        return real(*given)

    def ranked(table: BoardTable) -> BoardTable:
        before.append(not ranks.ready(table))
        go_on.set()
        return ranks_of(table)

    go_on = Event()
    monkeypatch.setattr(ranks, "rank_table", slow)
    monkeypatch.setattr(ranks, "ranked", ranked)
    drawn = Recorder(grid.show_rows)
    monkeypatch.setattr(grid, "show_rows", drawn)
    page = opened(dataset=DRAWN)
    assert before == [True]
    assert drawn.ranks == [None, (1, 1)]
    assert len(page.dataframe) == 1
    assert page.dataframe[0].value["rank"][0] == "1"


class Recorder:
    """Keeps the rank of the first row each time that a table is drawn."""

    def __init__(self, draw: Callable[..., None]) -> None:
        self.ranks: list[object] = []
        self._draw = draw

    def __call__(self, table: BoardTable, rows: list[BoardRow], *rest: Any, **more: Any) -> None:
        self.ranks.append(rows[0].rank)
        self._draw(table, rows, *rest, **more)


ODD: dict[str, dict[str, Any]] = {
    "enormous metrics": {"mAP": 1e308},
    "negative metrics": {"mAP": -1e308},
    "a method of 100,000 characters": {"method": "x" * 100_000},
    "a label of many lines": {"recipe": {"name": "a\n" * 1000}},
    "outcomes that are no shares": {"ap": 1e308},
    "a seed of 60 bits": {"seed": 2**60},
    "costs that are no numbers": {
        "cost": {"parameters": "many", "gflops": [1], "latency_ms": None}
    },
    "no date": {"created": ""},
    "no curve and no log": {"cmc": [], "training": [{"epoch": "first"}]},
}


@pytest.mark.parametrize("changes", ODD.values(), ids=ODD.keys())
def test_one_odd_record_breaks_no_page(
    opened: Open, add_run: AddRun, changes: dict[str, Any]
) -> None:
    values = add_run(dataset=DRAWN, method="plain").per_query.model_dump()
    changes = dict(changes)
    ap = changes.pop("ap", None)
    if ap is not None:
        changes["per_query"] = values | {"ap": [ap] * 10}
    odd = add_run(**{"dataset": DRAWN, "method": "odd", "recipe_hash": "9" * 64, **changes})
    page = opened(dataset=DRAWN)
    frame = page.dataframe[0].value
    assert len(frame) == 3
    assert "plain" in set(frame["method"])
    opened("run", run=odd.run_id)
    opened("progress", dataset=DRAWN)


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE records SET record = '{'",
        'UPDATE runs SET metrics = \'{"mAP": NaN, "R1": NaN, "R5": 1, "R10": 1, "mINP": 1}\'',
        "INSERT INTO trust SELECT run_id, 'wonderful', '{}', 'never' FROM runs",
    ],
)
def test_a_store_that_was_changed_by_hand_still_shows_the_others(
    opened: Open, add_run: AddRun, tmp_path: Path, spoil: str
) -> None:
    add_run(dataset=DRAWN, method="one", recipe_hash="1" * 64)
    spoilt = add_run(dataset=DRAWN, method="two", recipe_hash="2" * 64)
    with sqlite3.connect(tmp_path / STORE_NAME) as connection:
        where = f" WHERE run_id = '{spoilt.run_id}'"
        assert connection.execute(spoil + where).rowcount == 1
        connection.execute("UPDATE about SET revision = revision + 1")
    connection.close()
    page = opened(dataset=DRAWN)
    assert _methods(page) == {"one", "two"}
    shown = page.dataframe[0].value.set_index("method")
    assert shown["rank"]["one"] in ("1", "1–2")
    assert shown["trust"]["two"] == ["○ reported"]


def test_an_address_may_ask_for_more_than_there_is_room_for(opened: Open, add_run: AddRun) -> None:
    ids = [add_run(dataset=DRAWN, seed=seed).run_id for seed in range(8)]
    page = opened("compare", run=ids)
    assert list(page.multiselect[0].value) == ids[:6]


@pytest.fixture
def frozen(tmp_path: Path, add_run: AddRun) -> Iterator[Path]:
    """The --out folder of one run, on a mount or with rights that nobody can write to."""
    add_run(dataset=DRAWN)
    place = tmp_path / "frozen"
    place.mkdir()
    shutil.copy(tmp_path / STORE_NAME, place)
    if os.getuid() != 0:
        (place / STORE_NAME).chmod(0o444)
        place.chmod(0o555)
        yield place
        place.chmod(0o755)
        return
    # Rights say nothing to root.
    commands = [["mount", "--bind", place, place], ["mount", "-o", "remount,ro,bind", place]]
    if any(
        subprocess.run(words, capture_output=True, check=False).returncode for words in commands
    ):
        subprocess.run(["umount", place], capture_output=True, check=False)
        pytest.skip("running as root, who may write everywhere, and mounting is not permitted")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_store_that_cannot_be_written_shows_the_board(opened: Open, frozen: Path) -> None:
    with pytest.raises(OSError):
        (frozen / "new").touch()
    page = opened(folder=frozen, dataset=DRAWN)
    assert _methods(page) == {"tiny"}
    assert page.dataframe[0].value["rank"][0] == "1"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as one:
        yield one


@pytest.mark.parametrize("by", ["option", "environment"])
def test_a_store_on_postgresql_shows_the_board(
    opened: Open, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    url = server.new()
    records = [
        make(n, method=f"method-{n}", dataset={"label": DRAWN, "data_hash": "d" * 64})
        for n in range(3)
    ]
    for record in records:
        Store(url).add(record, tmp_path / record.run_id / "record.json")
    options = ["--store", url] if by == "option" else []
    if by == "environment":
        monkeypatch.setenv("HARNESS_STORE", url)
    page = opened(options=options, dataset=DRAWN)
    assert _methods(page) == {"method-0", "method-1", "method-2"}
    words = words_of(opened("run", options=options, run=records[0].run_id))
    assert f"Run {records[0].run_id}" in words
    assert PASSWORD not in words
    assert not list(tmp_path.glob("*.db"))


def test_a_server_that_does_not_answer_is_named_without_its_password(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_STORE", "postgresql://keeper:s3cret@127.0.0.1:9/board")
    for view in ("board", "run", "queries", "embedding", "compare", "claimed"):
        words = words_of(opened(view))
        assert "does not answer" in words, view
        assert "s3cret" not in words
