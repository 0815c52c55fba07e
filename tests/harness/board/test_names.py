"""No two rows of a table read alike, and variants are folded under their method."""

from __future__ import annotations

from harness.board import board
from harness.board.names import folded
from harness.claims import load_claims
from tests.harness.board.helpers import Claim, record, summaries


def test_no_two_claims_of_the_largest_table_read_alike() -> None:
    claims = [c for c in load_claims() if (c.dataset, c.protocol) == ("rgbnt201", "full")]
    assert len({(c.method, c.variant) for c in claims}) < len(claims)
    (table,) = board([], claims)
    titles = [row.title for row in table.rows]
    assert len(set(titles)) == len(titles) == len(claims)
    by_key = {row.key: row.title for row in table.rows}
    assert by_key["ieee.ieee.rgbnt201.full"] == "IEEE"
    assert by_key["top-reid.ieee.rgbnt201.full"] == "IEEE · in TOP-ReID (AAAI 2024)"
    assert by_key["unicat.unicat.resnet50.rgbnt201.full"] == "UniCat · ResNet50"


def test_runs_of_one_name_are_told_apart_by_recipe_then_code_then_id() -> None:
    same = {"recipe_hash": "1" * 64, "recipe": {"name": "a"}}
    runs = [
        record(0.5, seed=1, **same),
        record(0.5, seed=1, **same, code_hash="9" * 64),
        record(0.4, seed=1, **same, created="2027-01-01"),
        record(0.5, seed=1, recipe_hash="2" * 64, recipe={"name": "b"}),
    ]
    (table,) = board(summaries(*runs))
    titles = {row.run_ids[0]: row.title for row in table.rows}
    assert len(set(titles.values())) == 4
    assert titles[runs[3].run_id] == "made-up · b"
    assert titles[runs[1].run_id] == "made-up · a · code 999999"
    assert titles[runs[2].run_id].endswith(runs[2].run_id[:8])


def test_variants_are_under_the_authors_own_claim() -> None:
    claims = [
        Claim(id="second", mAP=71, tags=("second-hand",)),
        Claim(id="ablation", mAP=69, variant="w/o X"),
        Claim(id="own", mAP=70),
        Claim(id="other", method="OtherNet", variant="A", mAP=50),
        Claim(id="more", method="OtherNet", variant="B", mAP=40),
    ]
    (table,) = board(summaries(record(0.2)), claims)
    found = {f.row.key: [row.key for row in f.under] for f in folded(table.rows)}
    (run,) = table.runs
    assert found == {"second": [], "own": ["ablation"], "other": ["more"], run.key: []}
    assert list(found) == ["second", "own", "other", run.key]
