"""The page as Streamlit's own test runner sees it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import harness.store
import leaderboard_app.app
from harness.record import RunRecord
from harness.store import STORE_NAME
from leaderboard_app.text import command, literal, settings

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """The page on `tmp_path`, opened at an address with these parameters."""

    def open_(folder: Path = tmp_path, **params: str) -> AppTest:
        monkeypatch.setattr("sys.argv", ["app.py", str(folder)])
        page = AppTest.from_file(str(leaderboard_app.app.__file__), default_timeout=20)
        page.query_params.update(params)
        page.run()
        assert not page.exception
        return page

    return open_


def _words(page: AppTest) -> str:
    parts = [*page.title, *page.subheader, *page.markdown, *page.caption, *page.text, *page.code]
    return "\n".join(str(part.value) for part in [*parts, *page.info])


def _methods(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["method"])


def test_no_runs_says_how_to_make_one_and_leaves_the_folder_alone(
    opened: Open, tmp_path: Path
) -> None:
    page = opened()
    assert page.code[0].value == f"harness run --method ieee --out {tmp_path}"
    assert not page.dataframe
    assert not list(tmp_path.iterdir())


def test_one_run_is_a_row_with_its_chance_level(opened: Open, add_run: AddRun) -> None:
    record = add_run(mAP=57.125, seed=40)
    page = opened()
    row = page.dataframe[0].value.iloc[0]
    assert (row["place"], row["method"], row["recipe"], row["seed"]) == (1, "tiny", "smoke", 40)
    assert (row["mAP"], row["interval"]) == (57.125, "52.12 to 62.12")
    assert (row["run"], row["created"]) == (record.run_id, "2026-11-23 14:44")
    words = _words(page)
    assert "mAP 5.29" in words
    assert "8 of 10 queries are valid; 2 have no match" in words
    assert record.data_hash[:8] in words
    assert record.protocol_hash[:8] in words
    assert "Drawn figures" not in words


def test_drawn_figures_are_called_so(opened: Open, add_run: AddRun) -> None:
    record = add_run(made_like="synthetic")
    assert "Drawn figures" in _words(opened())
    assert _words(opened(run=record.run_id)).count("Drawn figures") == 2


def test_best_first_and_equal_ones_share_a_place(opened: Open, add_run: AddRun) -> None:
    for seed, mAP in enumerate([40.0, 60.0, 60.0]):
        add_run(mAP=mAP, seed=seed)
    frame = opened().dataframe[0].value
    assert list(frame["place"]) == [1, 1, 3]
    assert list(frame["mAP"]) == [60.0, 60.0, 40.0]


def test_filters_leave_one_data_set_and_protocol(opened: Open, add_run: AddRun) -> None:
    add_run(method="one")
    add_run(method="two", protocol="no-ti")
    add_run(method="three", dataset="msvr310")
    page = opened()
    assert _methods(page) == ["three"]
    page.selectbox(key="dataset").select("rgbnt201").run()
    assert (_methods(page), page.selectbox(key="protocol").value) == (["one"], "full")
    page.selectbox(key="protocol").select("no-ti").run()
    assert _methods(page) == ["two"]
    assert page.query_params == {"dataset": "rgbnt201", "protocol": "no-ti"}
    assert _methods(opened(**page.query_params)) == ["two"]


def test_a_filter_lets_go_of_the_selected_run(opened: Open, add_run: AddRun) -> None:
    record = add_run()
    add_run(dataset="msvr310")
    page = opened(run=record.run_id)
    page.selectbox(key="dataset").select("msvr310").run()
    assert page.query_params == {"dataset": "msvr310"}


def test_an_address_that_names_nothing_shows_the_first_table(opened: Open, add_run: AddRun) -> None:
    add_run()
    page = opened(dataset="<i>none</i>", protocol="none", run="[x](http://e.org)")
    assert _methods(page) == ["tiny"]
    assert literal("[x](http://e.org)") in page.info[0].value


def test_other_data_under_the_same_name_is_another_table(opened: Open, add_run: AddRun) -> None:
    add_run(method="one")
    add_run(method="two", data="b")
    page = opened()
    assert [len(frame.value) for frame in page.dataframe] == [1, 1]
    assert "do not compare" in _words(page)


def test_a_run_in_the_address_shows_its_record(opened: Open, add_run: AddRun) -> None:
    add_run(dataset="msvr310")
    record = add_run(mAP=61.0)
    page = opened(run=record.run_id)
    assert page.selectbox(key="dataset").value == "rgbnt201"
    words = _words(page)
    assert f"Run {record.run_id}" in words
    assert f"harness show run {record.run_id} --out" in words
    assert "Trained on the train split with RGB+NI+TI." in words
    assert "optimiser.lr = 0.001" in words
    assert f"{'3' * 64}  features.npz" in words
    metrics = page.dataframe[1].value.set_index("metric")
    assert list(metrics.loc["Rank-1"]) == [61.0, "56.00 to 66.00", 5.294]
    assert "398,220" in list(page.dataframe[2].value["value"])


def test_a_new_run_is_there_at_the_next_look(opened: Open, add_run: AddRun) -> None:
    add_run()
    page = opened()
    add_run(seed=2)
    page.run()
    assert len(page.dataframe[0].value) == 2


def test_a_record_with_little_in_it_is_shown(opened: Open, add_run: AddRun) -> None:
    odd: dict[str, Any] = {"training": [{"epoch": 1, "losses": ["x"]}], "cost": {"gflops": "many"}}
    nothing: dict[str, Any] = {"cmc": [], "intervals": {}, "chance": {}, "evidence": {}}
    record = add_run(**odd, **nothing)
    words = _words(opened(run=record.run_id))
    assert "no curve" in words
    assert "no training log" in words
    assert "no cost" in words


def test_a_protocol_without_words_is_shown_field_by_field(opened: Open, add_run: AddRun) -> None:
    record = add_run(bound={"name": "full", "filter": "mine"})
    assert 'filter = "mine"' in _words(opened(run=record.run_id))


@pytest.mark.parametrize("name", ["<b>x</b>", "[a](javascript:alert(1))", ":red[x] $y$ `z`"])
def test_names_are_never_markup(opened: Open, add_run: AddRun, name: str) -> None:
    record = add_run(method=name, dataset=name, selection=name)
    page = opened(run=record.run_id)
    assert _methods(page) == [name]
    assert literal(name) in page.subheader[0].value
    assert name in page.text[0].value
    shown = [*page.subheader, *page.markdown, *page.caption]
    assert not any(part.proto.allow_html for part in [*page.markdown, *page.caption])
    assert not any(name in part.value for part in shown)


def _no_folder(folder: Path) -> None:
    folder.rmdir()


def _newer(folder: Path) -> None:
    with sqlite3.connect(folder / STORE_NAME) as connection:
        connection.execute("CREATE TABLE about (schema_version INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO about VALUES (2)")
    connection.close()


def _not_a_store(folder: Path) -> None:
    (folder / STORE_NAME).write_text("no database " * 100)


@pytest.mark.parametrize(
    ("spoil", "seen"),
    [(_no_folder, "no folder"), (_newer, "schema 2"), (_not_a_store, "not a database")],
)
def test_a_store_that_cannot_be_read_says_what_to_do(
    opened: Open, tmp_path: Path, spoil: Callable[[Path], None], seen: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    spoil(folder)
    _check_what_it_says(opened(folder), seen)


def test_a_locked_store_says_so(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness.store, "_WAIT_SECONDS", 0.1)
    connection = sqlite3.connect(tmp_path / STORE_NAME)
    connection.execute("CREATE TABLE anything (x)")
    connection.execute("BEGIN EXCLUSIVE")
    _check_what_it_says(opened(), "locked")
    connection.close()


def test_a_record_from_elsewhere_that_is_none_says_so(
    opened: Open, add_run: AddRun, tmp_path: Path
) -> None:
    add_run()
    with sqlite3.connect(tmp_path / STORE_NAME) as connection:
        connection.execute("UPDATE runs SET record = '{}'")
    connection.close()
    _check_what_it_says(opened(), "holds a damaged record")


def _check_what_it_says(page: AppTest, seen: str) -> None:
    assert not page.dataframe
    lines = [part.value for part in page.markdown]
    assert [line.split(":")[0] for line in lines] == ["**Seen", "**Expected", "**Do this"]
    assert seen in lines[0].replace("\\", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tiny", "tiny"),
        ("a_b*c", r"a\_b\*c"),
        ("two\n# lines", r"two \# lines"),
        ("http://e.org", "http\\:\u2060\\/\\/e\\.org"),
        ("rgbnt201-variant@d7319477", r"rgbnt201\-variant\@d7319477"),
    ],
)
def test_literal(text: str, shown: str) -> None:
    assert literal(text) == shown


def test_a_command_is_safe_to_paste() -> None:
    assert command("show", "run", "x; rm -rf /", out=Path("runs")) == (
        "harness show run 'x; rm -rf /'"
    )


def test_settings_are_lines_that_set_takes() -> None:
    assert settings({"a": {"b": [1, 2]}, "c": "d"}) == 'a.b = [1, 2]\nc = "d"'
