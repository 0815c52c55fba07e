"""Plans of tables: what is refused and in which words, and the plans that are installed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from harness.cli.table import plans_of
from harness.spec.plugins import load_plugins
from harness.tables.plan import read_plan
from tests.conftest import SHARED, Harness
from tests.harness.tables.conftest import PLAN

IEEE = ("ieee-table1", "ieee-table2", "ieee-table3", "ieee-fig6", "ieee-fig7")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("source =", "sorce =", ("unknown key sorce", "did you mean 'source'?")),
        ("protocol =", "protocl =", ("columns[1].protocl", "did you mean 'protocol'?")),
        ('label = "wide"', 'lable = "wide"', ("rows[2].lable", "did you mean 'label'?")),
        ("mAP = 10.0", "map = 10.0", ("rows[1].claims.all.map", "did you mean 'mAP'?")),
        ('["mAP", "R1"]', '["mAP", "R2"]', ("metrics[2]", "'R2'", "'R10'")),
        ("mAP = 10.0", "mAP = 110.0", ("rows[1].claims.all.mAP = 110.0", "100")),
        ('columns = ["all"]', 'columns = ["al"]', ("'wide'", "'al'", "did you mean 'all'?")),
        ('label = "wide"', 'label = "narrow"', ("the row 'narrow' is there twice",)),
        ('title = "What width gives"', "", ("no title",)),
        ("title =", "title", ("is not TOML",)),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(
    harness: Harness, plan: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    plan.write_text(PLAN.replace(old, new, 1))
    answer = harness("table", plan, "--json")
    assert answer.code == 2 and answer.error["kind"] == "PlanError"
    said = " ".join(answer.error.values())
    assert str(plan) in said and all(word in said for word in words), said


def test_a_table_that_is_not_there_says_which_are(harness: Harness, tmp_path: Path) -> None:
    wrong = harness("table", "ieee-tabel3", "--json")
    assert wrong.code == 2 and "did you mean 'ieee-table3'?" in wrong.error["do"]
    absent = harness("table", tmp_path / "none.toml", "--json")
    assert absent.code == 2 and "there is no file" in absent.error["seen"]


def test_installed_tables_are_listed(harness: Harness) -> None:
    listed = {row["table"] for row in harness("list", "tables", "--json").json["tables"]}
    assert set(IEEE) <= listed


def test_the_claims_are_the_papers() -> None:
    facts = SHARED / "facts" / "ieee_paper_tables.csv"
    if not facts.is_file():
        pytest.skip("the transcribed tables are not on this machine")
    with facts.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    tables = {"Table1": IEEE[0], "Table2": IEEE[1], "Table3": IEEE[2], "Fig6-estimated": IEEE[3]}
    files = plans_of(load_plugins())
    for table, name in tables.items():
        printed = [
            tuple(float(r[m]) if r[m] else None for m in ("mAP", "R1", "R5", "R10"))
            for r in rows
            if r["table"] == table
        ]
        plan = read_plan(files[name])
        ours = [(c.mAP, c.R1, c.R5, c.R10) for row in plan.rows for c in row.claims.values()]
        assert sorted(ours, key=str) == sorted(printed, key=str)


@pytest.mark.parametrize("track", [None, "official", "common"])
@pytest.mark.parametrize("name", IEEE)
def test_every_row_can_be_run_on_the_embedded_data(
    harness: Harness, name: str, track: str | None, tmp_path: Path
) -> None:
    words = [] if track is None else ["--track", track]
    answer = harness("table", name, *words, "--out", tmp_path, "--json")
    assert answer.code == 0, answer.err
    assert answer.err.startswith("no --dataset: using the embedded synthetic set")
    found = answer.json
    assert found["track"] == (track or "smoke") and found["failed"] == []
    cells = [cell for panel in found["panels"] for cell in panel["rows"]]
    assert [cell["problem"] for cell in cells] == [None] * len(cells)
    assert set(found["missing"]) == {cell["command"] for cell in cells}
    assert all(not panel["comparable"] for panel in found["panels"])
    assert not any(tmp_path.iterdir()), "looking at a table leaves nothing behind"
