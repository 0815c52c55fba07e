"""Tables of MFRNet and MambaPro: every row can be run, main claims are the published ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.claims.files import read_claims
from harness.cli.table import plans_of
from harness.spec.plugins import load_plugins
from harness.tables.plan import read_plan
from reid_datasets.claims import PUBLISHED
from tests.conftest import Harness

TABLES = ("mambapro-main", "mambapro-ablation", "mfrnet-main", "mfrnet-ablation")


@pytest.mark.parametrize("track", ["smoke", "official"])
@pytest.mark.parametrize("name", TABLES)
def test_every_row_can_be_run_on_the_embedded_data(
    harness: Harness, name: str, track: str, tmp_path: Path
) -> None:
    answer = harness("table", name, "--track", track, "--out", tmp_path, "--json")
    assert answer.code == 0, answer.err
    cells = [cell for panel in answer.json["panels"] for cell in panel["rows"]]
    assert [cell["problem"] for cell in cells] == [None] * len(cells)
    assert set(answer.json["missing"]) == {cell["command"] for cell in cells}


@pytest.mark.parametrize("name", TABLES)
def test_the_claims_are_the_published_ones(name: str) -> None:
    published = {(c.dataset, c.mAP, c.R1) for c in read_claims(PUBLISHED) if c.protocol == "full"}
    plan = read_plan(plans_of(load_plugins())[name])
    found = {(place, said.mAP, said.R1) for row in plan.rows for place, said in row.claims.items()}
    # Numbers of other numbers of blocks, and of a trained encoder, are in pictures.
    pictured = {("rgbnt201", 78.7, 83.5), ("rgbnt201", 78.3, 81.3), ("rgbnt201", 79.5, 83.6)}
    assert found and found - (pictured if name == "mambapro-ablation" else set()) <= published
