"""One run's page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from harness.evidence.evaluations import keep
from harness.evidence.record import RunRecord
from leaderboard_app.shared.text import literal
from tests.leaderboard_app.conftest import words_of

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]

WEIGHTS = "e" * 64


def test_no_runs_says_how_to_make_one(opened: Open, tmp_path: Path) -> None:
    page = opened("run")
    assert page.code[0].value == f"harness run --method ieee --out {tmp_path}"


def test_a_run_in_the_address_shows_its_record(opened: Open, add_run: AddRun) -> None:
    add_run(dataset="msvr310")
    record = add_run(mAP=61.0)
    page = opened("run", run=record.run_id)
    words = words_of(page)
    assert f"harness reproduce {record.run_id} --out" in words
    assert f"harness verify {record.run_id} --out" in words
    assert "trust: reported" in words
    assert "Trained on the train split with RGB+NI+TI." in words
    assert "optimiser.lr = 0.001" in words
    assert f"{'3' * 64}  features.npz" in words
    metrics = page.dataframe[0].value.set_index("metric")
    assert list(metrics.loc["Rank-1"]) == [61.0, "56.00 to 66.00", 5.294]
    identities = page.dataframe[1].value
    assert list(identities["queries"]) == [2, 2, 2, 2, 2]
    assert identities["mAP"][0] == pytest.approx(23.5)
    assert "398,220" in list(page.dataframe[-1].value["value"])


def test_the_recipe_of_an_exact_run_names_the_precision_it_was_computed_in(
    opened: Open, add_run: AddRun
) -> None:
    recipe = {"name": "smoke", "mode": "exact", "precision": "bf16", "optimiser": {"lr": 0.001}}
    words = words_of(opened("run", run=add_run(recipe=recipe).run_id))
    assert 'precision = "float32"' in words
    assert 'precision = "bf16"' not in words


def test_numbers_under_other_protocols_fill_the_matrix_and_the_curves(
    opened: Open, add_run: AddRun, tmp_path: Path
) -> None:
    record = add_run(evidence={"weights": {"file": "weights.safetensors", "sha256": WEIGHTS}})
    page = opened("run", run=record.run_id)
    assert "--protocol missing --protocol cross" in words_of(page)
    before = len(page.get("vega_lite_chart"))
    results = [
        {
            "protocol": name,
            "protocol_hash": f"{n:064d}",
            "data_hash": record.data_hash,
            "metrics": {"mAP": 10.0 * n},
            "intervals": {"mAP": None},
            "chance": {"mAP": 5.0},
            "valid_queries": 8,
            "queries": 10,
        }
        for n, name in enumerate(("-TI", "RGB>TI", "corrupt-fog-1"), start=1)
    ]
    folder = tmp_path / record.run_id
    folder.mkdir()
    keep(folder, WEIGHTS, results)
    page = opened("run", run=record.run_id)
    assert "--protocol" not in words_of(page)
    assert len(page.get("vega_lite_chart")) == before + 2


def test_a_record_with_little_in_it_is_shown(opened: Open, add_run: AddRun) -> None:
    odd: dict[str, Any] = {"training": [{"epoch": 1, "losses": ["x"]}], "cost": {"gflops": "many"}}
    nothing: dict[str, Any] = {
        "cmc": [],
        "intervals": {},
        "chance": {},
        "evidence": {},
        "per_query": {"names": [], "ap": [], "first_rank": []},
    }
    words = words_of(opened("run", run=add_run(**odd, **nothing).run_id))
    for missing in ("no curve", "no training log", "no cost", "older than the list"):
        assert missing in words


def test_a_protocol_without_words_is_shown_field_by_field(opened: Open, add_run: AddRun) -> None:
    record = add_run(bound={"name": "full", "filter": "mine"})
    assert 'filter = "mine"' in words_of(opened("run", run=record.run_id))


@pytest.mark.parametrize("name", ["run", "queries", "embedding", "compare"])
def test_a_run_that_is_not_there_shows_no_other(opened: Open, add_run: AddRun, name: str) -> None:
    for seed in (1, 2):
        folder = add_run(seed=seed).run_id
    asked = "[x](http://e.org)"
    page = opened(name, run=[folder, asked] if name == "compare" else asked)
    words = words_of(page)
    if name in ("run", "compare"):
        assert "Not in this store" in words
        assert literal(asked) in words
        assert page.get("page_link") and page.button
    assert not page.dataframe
    assert "mAP" not in words


def test_the_seeds_of_a_row_stand_side_by_side(opened: Open, add_run: AddRun) -> None:
    ids = [add_run(mAP=mAP, seed=seed).run_id for seed, mAP in ((1, 40.0), (2, 50.0))]
    page = opened("run", run=",".join(reversed(ids)))
    shown = page.dataframe[0].value.set_index("seed")
    assert list(shown["mAP"][:3]) == [40.0, 50.0, 45.0]
    assert shown["mAP"]["± sd"] == pytest.approx(7.0711, abs=1e-4)
    assert "95 % interval is" in words_of(page)
    next(button for button in page.button if button.label == "Open seed 2").click().run()
    assert page.query_params["run"] == ids[1]
    assert f"Run {ids[1]}" in words_of(page)


def test_runs_that_are_no_row_are_not_shown_as_one(opened: Open, add_run: AddRun) -> None:
    ids = [add_run(method=method).run_id for method in ("one", "two")]
    page = opened("run", run=",".join(ids))
    assert not page.dataframe
    assert "not seeds of one recipe" in words_of(page)


@pytest.mark.parametrize("name", ["<b>x</b>", "[a](javascript:alert(1))", ":red[x] $y$ `z`"])
def test_names_are_never_markup(opened: Open, add_run: AddRun, name: str) -> None:
    record = add_run(method=name, dataset=name, selection=name, recipe={"name": name})
    page = opened("run", run=record.run_id)
    assert literal(name) in page.subheader[0].value
    shown: list[Any] = [*page.subheader, *page.markdown, *page.caption]
    assert not any(name in part.value for part in shown)
    assert not any(p.proto.allow_html for p in [*page.markdown, *page.caption])
