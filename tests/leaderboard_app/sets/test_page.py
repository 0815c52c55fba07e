"""Data sets and protocols in words on a page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from harness.evidence.record import METRICS, RunRecord
from harness.spec.plugins import load_plugins
from tests.leaderboard_app.conftest import words_of

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]


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
