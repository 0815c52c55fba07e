"""What baselines declare: their own recipes, refused mistakes, and numbers as the papers print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from baselines.shared.declare import baseline
from harness.claims import read_claims
from harness.spec.plugins import load_plugins
from reid_datasets.claims import PUBLISHED
from tests.conftest import ROOT, Harness

BASELINES = {n: i for n, i in load_plugins().methods.items() if i.target.startswith("baselines.")}


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_finds_the_recipes_of_its_own_folder(harness: Harness, name: str) -> None:
    folder = ROOT / Path(*BASELINES[name].target.split(".")[:2]) / "recipes"
    own = {str(path) for path in folder.glob("*.toml")}
    found = harness("list", "recipes", "--method", name, "--json")
    assert found.code == 0, found.err
    assert own and own <= {row["file"] for row in found.json["recipes"]}


def test_a_misspelt_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="backbon\n"):
        baseline("baselines.mlfn.method:MLFNStreams", name="mlfn", backbon="3 x MLFN")


def test_claims_are_the_rows_of_their_tables() -> None:
    """Each number typed in an `info.py` stands in the list of published ones, to the digit."""
    rows = read_claims(PUBLISHED)
    seen = 0
    for name, info in BASELINES.items():
        for said in info.claims:
            table = re.search(r"(IEEE|TOP-ReID|AAAI 2022).*(Table \d)", said.source)
            if table is None:
                continue
            paper = "TOP-ReID" if table[1] == "TOP-ReID" else "IEEE"
            (row,) = (
                r
                for r in rows
                if (r.method_key, r.dataset, r.protocol) == (name, said.dataset, said.protocol)
                and r.source.startswith(paper)
                and r.source_detail == table[2]
            )
            assert (row.mAP, row.R1, row.R5, row.R10) == (said.mAP, said.R1, said.R5, said.R10)
            seen += 1
    assert seen == 5 * 2 + 3 * 4 + 3 * 6 + 3
