"""Tables of TOP-ReID, EDITOR and MDReID: every row can be run, claims are the printed ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.claims.files import read_claims
from harness.cli.table import plans_of
from harness.spec.plugins import load_plugins
from harness.tables.plan import read_plan
from reid_datasets.claims import PUBLISHED
from tests.conftest import Harness

TABLES = (
    *("top-reid-main", "top-reid-ablation", "top-reid-modalities", "top-reid-missing"),
    *("editor-main", "editor-ablation"),
    *("mdreid-main", "mdreid-missing", "mdreid-mismatched"),
)


@pytest.mark.parametrize("track", ["smoke", "official"])
@pytest.mark.parametrize("name", (*TABLES, "mdreid-ablation"))
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
    """Those of RGBNT201 and MSVR310 are all in the claims; some of RGBNT100 are in pictures."""
    published = {(c.dataset, c.protocol, c.mAP, c.R1, c.R5, c.R10) for c in read_claims(PUBLISHED)}
    plan = read_plan(plans_of(load_plugins())[name])
    columns = {c.name: c for c in plan.columns}
    for row in plan.rows:
        assert row.claims, row.label
        for place, said in row.claims.items():
            column = columns[place]
            found = (column.dataset, column.protocol, said.mAP, said.R1, said.R5, said.R10)
            pictured = column.dataset == "rgbnt100" and name.endswith(("ablation", "modalities"))
            assert found in published or pictured, (row.label, found)
