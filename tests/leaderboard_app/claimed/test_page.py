"""Claims beside runs on a page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from harness.claims import load_claims
from harness.evidence.record import RunRecord
from tests.leaderboard_app.conftest import words_of

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]


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
