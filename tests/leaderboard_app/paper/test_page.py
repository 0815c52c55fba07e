"""A table for a paper, seen before it is taken away."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from harness.evidence.record import RunRecord
from tests.leaderboard_app.conftest import words_of

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]

DRAWN = "drawn@1"
ROWS = ["demo.demo.rgbnt201.full", "ieee.ieee.rgbnt201.full"]


def _preview(page: AppTest) -> str:
    return str(next(h.proto.body for h in page.get("html") if "<caption" in h.proto.body))


def test_chosen_rows_stand_in_the_preview_and_in_the_latex(opened: Open) -> None:
    page = opened("paper", dataset="rgbnt201", protocol="full", row=ROWS, label="tab:one")
    text = page.code[0].value
    assert r"\toprule" in text and r"\label{tab:one}" in text
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert [line.split(" & ")[:2] for line in body] == [["DeMo", "79.0"], ["IEEE", "46.4"]]
    preview = _preview(page)
    assert ">DeMo</td>" in preview and ">46.4</td>" in preview
    page.multiselect(key="metrics").set_value(["R1"]).run()
    assert page.query_params["metrics"] == "R1"
    assert "46.4" not in page.code[0].value


def test_protocols_stand_side_by_side_and_rows_are_told_from_a_baseline(
    opened: Open, add_run: AddRun
) -> None:
    good = add_run(dataset=DRAWN, method="a", recipe_hash="1" * 64)
    values = good.per_query.model_dump()
    low = {**values, "ap": [None if v is None else v / 9 for v in values["ap"]]}
    add_run(dataset=DRAWN, method="b", recipe_hash="2" * 64, mAP=5.0, per_query=low)
    add_run(dataset=DRAWN, method="a", recipe_hash="1" * 64, protocol="-NI")
    key = f"{good.recipe_hash[:12]}-{good.code_hash[:6]}"
    asked = {"dataset": DRAWN, "protocol": "full", "beside": ["-NI"], "metrics": ["mAP"]}
    preview = _preview(opened("paper", baseline=key, **asked))
    assert ">-NI</th>" in preview
    assert 'font-weight: 700;">50.0</td>' in preview
    assert ">5.0†</td>" in preview
    assert "†<" not in _preview(opened("paper", **asked))


def test_what_no_one_chose_or_knows_is_said(opened: Open) -> None:
    page = opened("paper", dataset="rgbnt201", protocol="full", label="}")
    words = words_of(page)
    assert "No row is chosen: the first 10 of" in words
    assert "so it is left out" in words
    assert r"\label" not in page.code[0].value
    assert "Not in this store" in words_of(opened("paper", dataset="rgbnt201", row=["none"]))


def test_names_are_text_in_the_preview(opened: Open, add_run: AddRun) -> None:
    add_run(dataset=DRAWN, method="<b>x</b>")
    page = opened("paper", dataset=DRAWN, caption="<i>mine</i>")
    preview = _preview(page)
    assert "<b>" not in preview and "&lt;b&gt;x" in preview
    assert "<i>" not in preview and "&lt;i&gt;mine" in preview
