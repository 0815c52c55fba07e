"""A run made before the core moved into rooms is verified, shown and trained again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Harness

KEPT = Path(__file__).with_name("kept")
RUN_ID = "3b3a7b8e554982cc"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An --out folder with the kept run where a run lies."""
    recipe = json.loads((KEPT / "run" / "record.json").read_text())["recipe_hash"]
    shutil.copytree(KEPT / "run", tmp_path / "runs" / recipe[:12] / "1")
    return tmp_path / "runs"


def test_it_is_verified(harness: Harness, out: Path) -> None:
    assert harness("store", "rebuild", "--out", out).code == 0
    done = harness("verify", RUN_ID, "--out", out, "--plugin", KEPT / "small.py", "--json")
    assert done.code == 0, done.err
    assert done.json["trust"] == "rescored" and done.json["ok"]


def test_the_board_shows_it(harness: Harness, out: Path) -> None:
    assert harness("store", "rebuild", "--out", out).code == 0
    done = harness("leaderboard", "--text", "--out", out, "--json")
    (table,) = [t for t in done.json["tables"] if t["dataset"] == "synthetic"]
    (row,) = [r for r in table["rows"] if r["method"] == "small"]
    assert row["metrics"]["mAP"] == pytest.approx(9.740487963)


def test_reproduce_says_what_differs(harness: Harness, out: Path) -> None:
    assert harness("store", "rebuild", "--out", out).code == 0
    words = ("reproduce", RUN_ID, "--out", out, "--plugin", KEPT / "small.py")
    refused = harness(*words)
    assert refused.code == 2
    assert "the record was made by 6f7446c2faf1 (commit ca65a078f805)" in refused.err
    assert "--allow-other-code" in refused.err
    done = harness(*words, "--allow-other-code", "--json")
    assert done.code == 0, done.err
    assert done.json["tolerance"] == "close"
    assert any(line.startswith("code: 6f7446c2faf1 then") for line in done.json["why"])
