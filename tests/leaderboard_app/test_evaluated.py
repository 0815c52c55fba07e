"""What a run's weights scored under further protocols, on every page that shows tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from harness.evidence.evaluations import keep
from harness.evidence.record import METRICS, RunRecord
from harness.store import STORE_NAME, Store
from leaderboard_app.site import build as built

AddRun = Callable[..., RunRecord]
Open = Callable[..., AppTest]

WEIGHTS = "e" * 64
DRAWN = "drawn@1"


def _evaluate(record: RunRecord, out: Path) -> None:
    result = {
        "protocol": "-NI",
        "protocol_hash": "7" * 64,
        "data_hash": record.data_hash,
        "metrics": dict.fromkeys(METRICS, 31.25),
        "intervals": dict.fromkeys(METRICS, (28.0, 35.0)),
        "chance": dict.fromkeys(METRICS, 5.0),
        "valid_queries": 8,
        "queries": 10,
    }
    folder = out / record.run_id
    folder.mkdir()
    keep(folder, WEIGHTS, [result])
    Store(out / STORE_NAME).touch()


def test_they_are_rows_of_an_open_board_of_the_overview_and_of_a_site(
    opened: Open, add_run: AddRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = {"weights": {"file": "weights.safetensors", "sha256": WEIGHTS}}
    record = add_run(dataset=DRAWN, evidence=weights)
    board = opened(dataset=DRAWN)
    assert board.selectbox(key="protocol").options == ["full: all three modalities"]
    _evaluate(record, tmp_path)
    board.run()
    board.selectbox(key="protocol").select("-NI").run()
    row = board.dataframe[0].value.iloc[0]
    assert (row["method"], row["mAP"], row["trust"]) == ("tiny", 31.25, ["◌ evaluated"])
    assert row["uncertainty"] == "28.00 to 35.00"
    # Where no table is asked for, the run's own is shown, not the one of what it scored later.
    assert opened("board").selectbox(key="protocol").value.startswith("full")
    page = opened("overview", dataset=DRAWN)
    html = next(part.proto.body for part in page.get("html") if "<table" in part.proto.body)
    assert ">50.0<" in html and ">31.2<" in html
    monkeypatch.setattr(built, "load_claims", lambda: ())
    built.build(tmp_path, tmp_path / "site")
    text = next((tmp_path / "site" / "board").glob("*/missing-ni.html")).read_text("utf-8")
    assert "31.25" in text and "◌ evaluated" in text
