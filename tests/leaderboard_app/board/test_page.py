"""The board as Streamlit's own test runner sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from harness.claims import load_claims
from harness.evidence.record import RunRecord
from leaderboard_app.board.grid import CHANCE
from leaderboard_app.shared.text import literal
from tests.leaderboard_app.conftest import words_of

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]

DRAWN = "drawn@1234"
"""A data set nobody published a number on."""


def _methods(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["method"])


def test_the_first_start_shows_the_published_numbers_and_leaves_the_folder_alone(
    opened: Open, tmp_path: Path
) -> None:
    page = opened()
    here = [c for c in load_claims() if (c.dataset, c.protocol) == ("rgbnt201", "full")]
    shown = page.dataframe[0].value
    assert page.selectbox(key="dataset").value == "rgbnt201"
    assert len(shown) == len([c for c in here if c.mAP is not None or c.R1 is not None]) > 90
    assert {"rank", "mINP", "selection"} & set(shown.columns) <= {"mINP"}
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_shows_them_too(opened: Open, tmp_path: Path) -> None:
    assert len(opened(folder=tmp_path / "runs").dataframe[0].value) > 90


def test_a_run_is_a_row_with_its_chance_level(opened: Open, add_run: AddRun) -> None:
    record = add_run(mAP=57.125, seed=40, dataset=DRAWN)
    page = opened(dataset=DRAWN)
    frame = page.dataframe[0].value
    assert _methods(page) == ["tiny", CHANCE]
    assert frame["mAP"][0] == 57.125
    assert frame["mAP"][1] == 5.294
    assert frame["rank"][0] == "1"
    words = words_of(page)
    assert "8 of 10 queries are valid; 2 have no match" in words
    assert record.data_hash[:8] in words
    assert record.protocol_hash[:8] in words


def test_the_chance_line_stands_where_its_number_puts_it(opened: Open, add_run: AddRun) -> None:
    add_run(mAP=50.0, dataset=DRAWN, method="good")
    add_run(mAP=3.0, dataset=DRAWN, method="bad")
    assert _methods(opened(dataset=DRAWN)) == ["good", CHANCE, "bad"]
    assert _methods(opened(dataset=DRAWN, up="1")) == ["bad", CHANCE, "good"]
    assert CHANCE not in _methods(opened(dataset=DRAWN, sort="method"))


def test_runs_stand_among_the_published_numbers_of_their_own_data(
    opened: Open, add_run: AddRun
) -> None:
    add_run(mAP=99.0, dataset="rgbnt201")
    page = opened(dataset="rgbnt201", protocol="full")
    assert _methods(page)[0] == "tiny"
    assert "claimed" in {tag for tags in page.dataframe[0].value["trust"] for tag in tags or []}


def test_seeds_of_a_recipe_are_one_row(opened: Open, add_run: AddRun) -> None:
    for seed, mAP in ((1, 40.0), (2, 50.0)):
        add_run(mAP=mAP, seed=seed, dataset=DRAWN)
    frame = opened(dataset=DRAWN, column=["mAP", "uncertainty", "seeds"]).dataframe[0].value
    assert frame["mAP"][0] == 45.0
    assert frame["seeds"][0] == "1, 2"
    assert frame["uncertainty"][0].startswith("± 7.07 (2 seeds)")


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ({"kind": "run here"}, {"tiny"}),
        ({"trust": "claimed", "since": "2026"}, None),
        ({"selection": "last"}, {"tiny"}),
    ],
)
def test_a_filter_in_the_address_says_what_it_hides(
    opened: Open, add_run: AddRun, asked: dict[str, str], left: set[str] | None
) -> None:
    add_run(dataset="rgbnt201")
    every = len(opened(dataset="rgbnt201").dataframe[0].value)
    page = opened(dataset="rgbnt201", **asked)
    methods = set(_methods(page)) - {CHANCE}
    assert left is None or methods == left
    rows = len(page.dataframe[0].value)
    assert rows < every
    assert f"{every - rows} rows hidden by:" in page.warning[0].value


def test_a_control_writes_the_address(opened: Open, add_run: AddRun) -> None:
    add_run(dataset=DRAWN)
    add_run(dataset=DRAWN, protocol="no-ti", method="two")
    page = opened(dataset=DRAWN)
    page.selectbox(key="protocol").select("no-ti").run()
    assert _methods(page) == ["two", CHANCE]
    page.multiselect(key="column").set_value(["mAP", "seeds"]).run()
    assert list(page.dataframe[0].value.columns) == ["method", "mAP", "seeds"]
    page.selectbox(key="sort").select("seeds").run()
    page.toggle(key="up").set_value(True).run()
    assert dict(page.query_params) == {
        "dataset": DRAWN,
        "protocol": "no-ti",
        "column": ["mAP", "seeds"],
        "sort": "seeds",
        "up": "1",
    }
    again = opened(**page.query_params)
    assert list(again.dataframe[0].value.columns) == ["method", "mAP", "seeds"]


def test_other_data_under_one_name_is_another_table(opened: Open, add_run: AddRun) -> None:
    add_run(method="one", dataset=DRAWN)
    add_run(method="two", dataset=DRAWN, data="b")
    page = opened(dataset=DRAWN)
    options = page.selectbox(key="hashes").options
    assert len(options) == 2
    seen = set()
    for option in options:
        seen |= set(_methods(opened(dataset=DRAWN, hashes=option))) - {CHANCE}
    assert seen == {"one", "two"}


def test_picked_rows_can_be_opened_and_compared(opened: Open, add_run: AddRun) -> None:
    first = add_run(mAP=50.0, dataset=DRAWN, method="one", recipe_hash="1" * 64)
    second = add_run(mAP=40.0, dataset=DRAWN, method="two", recipe_hash="2" * 64)
    page = opened(dataset=DRAWN)
    assert "Pick rows" in words_of(page)
    keys = [f"{r.recipe_hash[:12]}-{r.code_hash[:6]}" for r in (first, second)]
    page = opened(dataset=DRAWN, row=keys)
    links = {link.proto.label: link.proto.query_string for link in page.get("page_link")}
    assert links["Open one"] == f"run={first.run_id}"
    assert links["Compare 2 rows"] == f"run={first.run_id}&run={second.run_id}"
    assert f"with={second.run_id}" in links["Their answers side by side"]


def test_conflicting_claims_are_marked(opened: Open) -> None:
    page = opened(dataset="rgbnt201")
    marks = page.dataframe[0].value["conflict"].dropna()
    assert marks.value_counts().min() >= 2
    assert "contradict each other" in words_of(page)


def test_an_address_that_names_nothing_shows_the_first_table(opened: Open) -> None:
    page = opened(
        dataset="<i>none</i>", protocol="none", hashes="x", column=["<b>"], sort="zz", row="a,b",
        since="x" * 500, tag="none",
    )  # fmt: skip
    assert page.selectbox(key="dataset").value == "rgbnt201"
    assert not page.warning


def test_a_new_run_is_there_at_the_next_look(opened: Open, add_run: AddRun) -> None:
    add_run(dataset=DRAWN, method="one")
    page = opened(dataset=DRAWN)
    add_run(dataset=DRAWN, method="two", recipe_hash="2" * 64)
    page.run()
    assert set(_methods(page)) == {"one", "two", CHANCE}


@pytest.mark.parametrize("name", ["<b>x</b>", "[a](javascript:alert(1))", ":red[x] $y$ `z`"])
def test_names_are_never_markup(opened: Open, add_run: AddRun, name: str) -> None:
    add_run(method=name, dataset=name, selection=name)
    page = opened(dataset=name)
    assert name in _methods(page)
    assert literal(name) in page.subheader[0].value
    shown: list[Any] = [*page.subheader, *page.markdown, *page.caption]
    assert not any(name in part.value for part in shown)
    assert not any(p.proto.allow_html for p in [*page.markdown, *page.caption])
