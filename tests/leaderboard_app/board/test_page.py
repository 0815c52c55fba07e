"""The board as Streamlit's own test runner sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from streamlit.testing.v1 import AppTest

from harness.base.hashing import digest
from harness.claims import load_claims
from harness.evidence.record import RunRecord
from harness.spec.plugins import load_plugins
from harness.spec.resolve import resolve
from leaderboard_app.board.columns import CHANCE
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
    page = opened(variants="1")
    here = [c for c in load_claims() if (c.dataset, c.protocol) == ("rgbnt201", "full")]
    shown = page.dataframe[0].value
    assert page.selectbox(key="dataset").value == "rgbnt201"
    assert len(shown) == len([c for c in here if c.mAP is not None or c.R1 is not None]) > 90
    assert {"rank", "mINP", "selection"} & set(shown.columns) <= {"mINP"}
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_shows_them_too(opened: Open, tmp_path: Path) -> None:
    assert len(opened(folder=tmp_path / "runs").dataframe[0].value) > 30


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
    assert "◇ claimed" in {tag for tags in page.dataframe[0].value["trust"] for tag in tags or []}


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
    every = len(opened(dataset="rgbnt201", variants="1").dataframe[0].value)
    page = opened(dataset="rgbnt201", variants="1", **asked)
    methods = set(_methods(page)) - {CHANCE}
    assert left is None or methods == left
    rows = len(page.dataframe[0].value)
    assert rows < every
    assert f"{every - rows} rows hidden by:" in words_of(page)


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


def test_a_row_of_several_seeds_opens_as_a_group(opened: Open, add_run: AddRun) -> None:
    ids = [add_run(seed=seed, dataset=DRAWN).run_id for seed in (1, 2)]
    key = f"{digest('recipe')[:12]}-{digest('code')[:6]}"
    page = opened(dataset=DRAWN, row=[key])
    links = {link.proto.label: link.proto.query_string for link in page.get("page_link")}
    assert unquote(links["Open tiny"]) == f"run={','.join(ids)}"


def test_chips_and_words_leave_what_they_say(opened: Open, add_run: AddRun) -> None:
    add_run(dataset="rgbnt201")
    page = opened(dataset="rgbnt201", protocol="full", show=["clean", "first-hand"])
    tags = page.dataframe[0].value["tags"].dropna()
    left = {tag for row in tags for tag in row}
    assert not left & {"test-selection", "test-camera", "transductive", "second-hand"}
    assert len(tags) > 5
    page.button_group(key="show").set_value(["all", "clean", "first-hand"]).run()
    assert "show" not in page.query_params
    page.text_input(key="search").set_value("unicat neurips").run()
    found = page.dataframe[0].value
    said = found["method"] + " " + found["source"].fillna("")
    assert len(found) > 2
    assert said[found["method"] != CHANCE].str.lower().str.contains("unicat").all()
    assert page.query_params["search"] == "unicat neurips"


def test_the_figures_say_what_is_best_and_what_is_noise(opened: Open, add_run: AddRun) -> None:
    recipe = resolve(load_plugins().methods["ieee"], "rgbnt201", "rgbnt201", "full").recipe
    official = {"recipe": recipe.dumped(), "recipe_hash": recipe.hash}
    add_run(dataset="rgbnt201", method="ieee", mAP=45.0, **official)
    words = words_of(opened(dataset="rgbnt201", protocol="full"))
    # The highest of authors' own whose tags name nothing of the test set.
    assert "**82\\.30** :gray[:small[ProxyTTT" in words
    assert "**45\\.00 \\(40\\.00 to 50\\.00\\)**" in words
    # The claim of 46.42 lies within 40 to 50.
    claims = [c for c in load_claims() if (c.dataset, c.protocol) == ("rgbnt201", "full")]
    ours = [c for c in claims if c.method_key and not c.variant and c.mAP is not None]
    reached = sum(c.method_key == "ieee" and c.mAP <= 50.0 for c in ours if c.mAP is not None)
    assert f"**{reached} of {len(ours)}**" in words


def test_the_newest_run_decides_what_is_shown_first(opened: Open, add_run: AddRun) -> None:
    add_run(dataset=DRAWN, created="2026-01-01T00:00:00.000+00:00")
    newest = add_run(dataset="drawn@new", created="2026-02-01T00:00:00.000+00:00")
    page = opened()
    assert page.selectbox(key="dataset").value == "drawn@new"
    links = [link.proto.query_string for link in page.get("page_link")]
    assert f"run={newest.run_id}" in links
    assert "Your runs:** 2" in words_of(page)


def test_the_picture_has_every_row_in_the_order_of_the_table(opened: Open, add_run: AddRun) -> None:
    add_run(mAP=60.0, dataset=DRAWN, method="good", recipe_hash="1" * 64)
    add_run(mAP=40.0, dataset=DRAWN, method="fair", recipe_hash="2" * 64)
    page = opened(dataset=DRAWN, up="1")
    spec = json.loads(page.get("vega_lite_chart")[0].proto.spec)
    text = json.dumps(spec)
    assert text.index("fair") < text.index("good")
    assert '"strokeDash": [2, 3]' in text


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


def test_variants_of_claims_are_folded_under_their_method_with_a_count(opened: Open) -> None:
    page = opened(dataset="rgbnt201", protocol="full")
    count = re.compile(r" \(\+\d+\)$")
    folded = [name for name in _methods(page) if count.search(name)]
    counts = sum(int(name.rpartition("+")[2][:-1]) for name in folded)
    assert len(folded) > 5
    assert f"{counts} variants are folded" in words_of(page)
    page.toggle(key="variants").set_value(True).run()
    assert page.query_params["variants"] == "1"
    whole = _methods(page)
    assert len(whole) == len(_methods(opened(dataset="rgbnt201", protocol="full"))) + counts
    assert not any(count.search(name) for name in whole)
    assert "folded" not in words_of(page)


def test_a_picked_variant_is_shown_among_folded_ones(opened: Open) -> None:
    here = [c for c in load_claims() if (c.dataset, c.protocol) == ("rgbnt201", "full")]
    every = len(_methods(opened(dataset="rgbnt201", protocol="full")))
    variant = next(c for c in here if c.variant and c.method_key == "demo" and c.mAP is not None)
    page = opened(dataset="rgbnt201", protocol="full", row=[variant.id])
    assert len(_methods(page)) == every + 1
    assert any(variant.variant in name for name in _methods(page))


def test_conflicting_claims_are_marked(opened: Open) -> None:
    page = opened(dataset="rgbnt201", variants="1")
    marks = page.dataframe[0].value["conflict"].dropna()
    assert marks.value_counts().min() >= 2
    assert "contradict each other" in words_of(page)


@pytest.mark.parametrize(
    "asked",
    [
        {"dataset": "<i>none</i>"},
        {"dataset": "rgbnt201", "protocol": "none"},
        {"dataset": DRAWN, "hashes": "00000000 · 00000000"},
    ],
)
def test_an_address_that_names_nothing_shows_nothing_else(
    opened: Open, add_run: AddRun, asked: dict[str, str]
) -> None:
    add_run(dataset=DRAWN)
    page = opened(**asked)
    assert not page.dataframe
    words = words_of(page)
    assert "Not in this store" in words
    assert literal(list(asked.values())[-1]) in words
    assert page.button


def test_what_only_says_how_to_show_a_table_may_be_unknown(opened: Open) -> None:
    page = opened(dataset="rgbnt201", column=["<b>"], sort="zz", since="x" * 500, tag="none")
    assert len(page.dataframe[0].value) > 30
    assert any("there is no none here" in one.value for one in page.warning)


def test_another_data_set_takes_its_own_protocol(opened: Open, add_run: AddRun) -> None:
    add_run(dataset=DRAWN, protocol="mine")
    page = opened(dataset=DRAWN, protocol="mine")
    page.selectbox(key="dataset").select("rgbnt201").run()
    assert page.selectbox(key="protocol").value == "full"


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
    shown: list[Any] = [*page.subheader, *page.markdown, *page.caption]
    assert any(literal(name) in part.value for part in shown)
    assert not any(name in part.value for part in shown)
    assert not any(p.proto.allow_html for p in [*page.markdown, *page.caption])
