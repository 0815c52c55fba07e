"""Every method under every protocol on a page."""

from __future__ import annotations

import re
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from harness.evidence.record import RunRecord
from tests.leaderboard_app.conftest import words_of

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]


def _table(page: AppTest) -> str:
    return next(part.proto.body for part in page.get("html") if "<table" in part.proto.body)


def _row(text: str, name: str) -> str:
    return next(row for row in re.findall(r"<tr style.*?</tr>", text, re.DOTALL) if name in row)


def test_claims_are_in_italics_and_runs_upright_with_their_interval(
    opened: Open, add_run: AddRun
) -> None:
    add_run(mAP=41.5, dataset="rgbnt201", method="mine")
    text = _table(opened("overview", dataset="rgbnt201"))
    demo, mine = _row(text, "DeMo"), _row(text, "mine")
    assert "italic" in demo and "italic" not in mine
    # The mean of DeMo's six numbers, 50.7 as its paper prints it.
    assert [n for n in ("79.0", "63.3", "40.3", "50.7") if f">{n}<" not in demo] == []
    assert 'title="95 % interval 36.50 to 46.50">41.5<' in mine
    assert "modalities missing at test" in text and "one modality finds another" in text


def test_names_in_an_overview_are_never_markup(opened: Open, add_run: AddRun) -> None:
    add_run(method="<b onclick='x'>y</b>", dataset="rgbnt201")
    assert "<b" not in _table(opened("overview", dataset="rgbnt201"))


def test_rows_of_one_protocol_are_there_when_asked(opened: Open) -> None:
    few = _table(opened("overview", dataset="rgbnt201")).count("<tr")
    every = _table(opened("overview", dataset="rgbnt201", all="1")).count("<tr")
    assert every > few + 50
    assert "more have a number under one protocol only" in words_of(
        opened("overview", dataset="rgbnt201")
    )
