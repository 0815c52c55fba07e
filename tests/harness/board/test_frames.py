"""The tables as data frames, in one call."""

from __future__ import annotations

import math
from pathlib import Path

from harness.board import frames
from harness.claims import load_claims
from harness.evidence.record import METRICS
from harness.store import STORE_NAME, Store
from tests.harness.board.helpers import record


def test_a_folder_and_the_published_numbers_become_data_frames(tmp_path: Path) -> None:
    label = {"label": "rgbnt201", "data_hash": "d" * 64}
    for seed, mAP in ((1, 40.0), (2, 50.0)):
        made = record(mAP / 100, seed=seed, dataset=label, metrics=dict.fromkeys(METRICS, mAP))
        Store(tmp_path / STORE_NAME).add(made, tmp_path / str(seed) / "record.json")
    found = frames(tmp_path)
    (title,) = [t for t in found.boards if t.startswith("rgbnt201") and "data dddddddd" in t]
    board = found.boards[title]
    (run,) = board[board["kind"] == "run"].to_dict("records")
    assert (run["mAP"], run["seeds"], run["trust"]) == (45.0, "1;2", "reported")
    assert math.isclose(run["mAP_sd"], 50**0.5)
    assert (run["best_rank"], run["worst_rank"]) == (1, 1)
    assert run["low"] < 45.0 < run["high"]
    claims = board[board["kind"] == "claim"].set_index("key")
    protocol = title.split(" · ")[1].split(" (")[0]
    said = {c.id: c.mAP for c in load_claims() if (c.dataset, c.protocol) == ("rgbnt201", protocol)}
    assert {k: v for k, v in said.items() if v is not None} == dict(claims["mAP"].dropna())


def test_without_a_folder_the_published_numbers_are_there(tmp_path: Path) -> None:
    found = frames(tmp_path / "none")
    overview = found.overviews["rgbnt201"].set_index(["method", "detail"])
    demo = overview.loc["DeMo", "DeMo (AAAI 2025)"]
    # Table 3 of DeMo (AAAI 2025): 63.3, 72.6, 56.2, 45.6, 26.3, 40.3, whose mean it prints as 50.7.
    assert round(float(demo["mean_missing"]), 1) == 50.7
    assert not (tmp_path / "none").exists()
