"""Embedding, progress, claims and data sets as Streamlit's own test runner sees them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from harness.claims import load_claims
from harness.evidence.record import METRICS, RunRecord
from harness.spec.plugins import load_plugins
from tests.leaderboard_app.conftest import words_of

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]


def test_the_embedding_draws_the_identities_of_the_address(opened: Open, finished: Path) -> None:
    page = opened("embedding", finished)
    assert len(page.get("vega_lite_chart")) == 1
    assert "gives no descriptor for each modality alone" in words_of(page)
    known = page.multiselect(key="identity").options
    page.multiselect(key="identity").set_value(known[:2]).run()
    assert list(page.query_params["identity"]) == known[:2]
    assert "8 points of the gallery" in words_of(page)


def test_an_embedding_without_evidence_says_how_to_make_some(opened: Open) -> None:
    assert "No run here has stored descriptors" in words_of(opened("embedding"))


def test_progress_names_the_frontier_and_what_is_not_shown(opened: Open) -> None:
    page = opened("progress", dataset="rgbnt201")
    assert len(page.get("vega_lite_chart")) == 2
    words = words_of(page)
    assert "PFNet (2021, 38.5)" in words
    assert "(2022, 46.4)" in words
    assert "more have no cost" in words


def test_progress_takes_metric_and_colour_from_the_address(opened: Open) -> None:
    page = opened("progress", dataset="rgbnt201", metric="R1", colour="backbone", cost="gflops")
    assert "Rank-1 by year of publication" in words_of(page)


def test_a_claim_is_set_only_against_a_run_on_its_own_data(opened: Open, add_run: AddRun) -> None:
    add_run(method="ieee", dataset="rgbnt201-synthetic@12345678", mAP=46.0)
    page = opened("claimed")
    assert not page.dataframe
    assert "harness run --method ieee --dataset" in words_of(page)
    add_run(method="ieee", dataset="rgbnt201", mAP=40.0)
    page.run()
    shown = page.dataframe[0].value
    (paper,) = [c for c in load_claims() if c.id == "ieee.ieee.rgbnt201.full"]
    line = shown[shown["source"] == paper.source].iloc[0]
    assert (line["claimed"], line["here"]) == (46.42, 40.0)
    assert line["difference"] == pytest.approx(-6.42)
    assert line["the claim is"] == "above our interval"


def test_claims_nobody_ran_are_shown_when_asked(opened: Open) -> None:
    shown = opened("claimed", all="1").dataframe[0].value
    assert set(shown["the claim is"]) == {"not run here"}
    assert {"rgbnt201", "market1501-mm"} <= set(shown["data set"])


@pytest.mark.parametrize("name", sorted(load_plugins().datasets))
def test_every_data_set_has_a_card(opened: Open, name: str) -> None:
    words = words_of(opened("sets", dataset=name))
    for part in ("Licence", "Removed for each query", "Modalities", "File names"):
        assert f"**{part}:**" in words


def test_every_protocol_has_words_or_a_reason(opened: Open) -> None:
    page = opened("sets", dataset="rgbn300")
    for protocol in ("full", "-TI", "RGB>NI@sysu", "corrupt-fog-3", "validation"):
        page.query_params["protocol"] = protocol
        page.run()
        assert not page.exception
        assert "Trained on" in words_of(page) or "does not apply" in words_of(page)


def test_chance_and_noise_are_said(opened: Open, add_run: AddRun) -> None:
    assert "mAP 2.39" in words_of(opened("sets", dataset="rgbnt201"))
    values = add_run(method="one").per_query.model_dump()
    values["ap"] = [None if v is None else v / 2 for v in values["ap"]]
    add_run(method="two", per_query=values, metrics=dict.fromkeys(METRICS, 20.0))
    assert "can usually not be told apart" in words_of(opened("sets", dataset="rgbnt201"))
