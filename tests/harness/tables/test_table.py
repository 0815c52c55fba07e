"""`harness table`: what it shows, what it fills, and what it never sets side by side."""

from __future__ import annotations

import re
import shlex
import shutil
import statistics
from pathlib import Path

import pytest

from harness.tables.cells import Cell
from harness.tables.plan import Claimed, Column, Row
from harness.tables.records import Found
from harness.tables.table import Panel
from harness.tables.view import marks_of_panel
from tests.conftest import Harness
from tests.harness.board.helpers import record
from tests.harness.tables.conftest import PLAN, Ask


def _cells(found: dict[str, object], panel: int = 0) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = found["panels"][panel]["rows"]  # type: ignore[index]
    return rows


def test_nothing_is_trained_unless_asked(ask: Ask, tmp_path: Path) -> None:
    answer = ask()
    assert answer.code == 0 and not list(tmp_path.glob("runs/*/*/record.json"))
    for words in ("narrow", "wide", "10.00", "≈30.00", "–", "Chance: mAP", "16 of 16 queries"):
        assert words in answer.out
    assert answer.out.count("harness run --method pieces") == 3


def test_the_command_below_the_table_fills_the_cell(ask: Ask, harness: Harness) -> None:
    before = ask("--json").json
    first, *_ = words = shlex.split(before["missing"][0])
    assert first == "harness" and harness(*words[1:]).code == 0
    after = ask("--json").json
    assert len(after["missing"]) == len(before["missing"]) - 1
    assert _cells(after)[0]["seeds"] == [40] and _cells(after)[1]["seeds"] == []


def test_run_fills_what_is_missing_and_leaves_what_is_there(ask: Ask, tmp_path: Path) -> None:
    first = ask("--run", "--seeds", "1,2", "--json").json
    assert first["missing"] == [] and first["failed"] == []
    records = {p: p.stat().st_mtime_ns for p in tmp_path.glob("runs/*/*/record.json")}
    assert len(records) == 6
    again = ask("--run", "--seeds", "1,2,3", "--json")
    assert "3 runs are missing" in again.err
    assert all(p.stat().st_mtime_ns == t for p, t in records.items())
    last = ask("--run", "--json")
    assert "no run is missing" in last.err
    assert _cells(last.json)[0]["seeds"] == [1, 2, 3], "without --seeds, all that are there"


def test_seeds_become_mean_and_spread(ask: Ask, harness: Harness, tmp_path: Path) -> None:
    cell = _cells(ask("--run", "--seeds", "1,2,3", "--json").json)[0]
    values = [
        harness("show", "run", run["run_id"], "--out", tmp_path / "runs", "--json").json["metrics"]
        for run in cell["runs"]  # type: ignore[attr-defined]
    ]
    for metric in ("mAP", "R1"):
        numbers = [v[metric] for v in values]
        assert cell["mean"][metric] == pytest.approx(statistics.fmean(numbers))  # type: ignore[index]
        assert cell["sd"][metric] == pytest.approx(statistics.stdev(numbers))  # type: ignore[index]
    shown = f"{cell['mean']['mAP']:.2f} ± {cell['sd']['mAP']:.2f}"  # type: ignore[index]
    assert shown in ask("--seeds", "1,2,3").out
    assert "3 of 4" in ask("--seeds", "1,2,3,4").out


def test_a_failed_cell_stops_no_other_and_is_told_at_the_end(ask: Ask, plan: Path) -> None:
    plan.write_text(PLAN.replace('"size=4"', '"size=4", "broken=true"'))
    answer = ask("--run", "--json")
    assert answer.code == 1
    assert [(f["row"], f["column"]) for f in answer.json["failed"]] == [
        ("narrow", "all"),
        ("narrow", "two"),
    ]
    assert "a part fell off" in answer.json["failed"][0]["error"]
    assert _cells(answer.json)[1]["seeds"] == [40]
    assert "failed: narrow, all, seed 40" in ask("--run").err


def test_a_table_that_was_stopped_goes_on(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIECES_STOP", "12")
    assert ask("--run").code == 130
    (done,) = tmp_path.glob("runs/*/*/record.json")
    written = done.stat().st_mtime_ns
    monkeypatch.delenv("PIECES_STOP")
    answer = ask("--run", "--json")
    assert answer.code == 0 and answer.json["missing"] == []
    assert done.stat().st_mtime_ns == written


def test_protocols_never_share_a_panel(ask: Ask) -> None:
    found = ask("--run", "--json").json
    grounds = [panel["ours"]["protocol_hash"] for panel in found["panels"]]
    assert len(set(grounds)) == 2
    assert [c["label"] for c in _cells(found, 0)] == ["narrow", "wide"]
    assert [c["label"] for c in _cells(found, 1)] == ["narrow"]
    assert _cells(found, 0)[0]["runs"] != _cells(found, 1)[0]["runs"]


def test_records_that_only_the_store_has_are_shown_and_not_made_again(
    ask: Ask, tmp_path: Path
) -> None:
    first = _cells(ask("--run", "--json").json)
    for folder in (tmp_path / "runs").glob("*/"):
        shutil.rmtree(folder)
    answer = ask("--run", "--json")
    assert "no run is missing" in answer.err
    assert [c["mean"] for c in _cells(answer.json)] == [c["mean"] for c in first]


def test_records_of_other_data_are_not_shown(ask: Ask, drawn: Path, tmp_path: Path) -> None:
    ask("--run")
    other = Path(shutil.copytree(drawn, tmp_path / "other"))
    for path in other.glob("test/*/000011_cam1_0_00.jpg"):
        path.unlink()
    found = ask("--json", dataset=other).json
    assert [c["seeds"] for c in _cells(found)] == [[], []]


def test_a_claim_is_set_against_ours_on_the_published_list_alone(
    ask: Ask, drawn: Path, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variant = ask("--run", "--json").json["panels"][0]
    assert not variant["comparable"] and variant["rows"][0]["difference"] is None
    assert "no difference is taken" in " ".join(variant["notes"])

    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    plan.write_text(PLAN.replace('dataset = "rgbnt201"', 'dataset = "printed"'))
    words = ("--plugin", _published(drawn, tmp_path))
    name = Path("printed")
    found = ask("--run", "--json", *words, dataset=name).json["panels"][0]
    row = found["rows"][0]
    assert found["comparable"] and found["ours"]["dataset"] == "printed"
    assert row["difference"]["mAP"] == pytest.approx(row["mean"]["mAP"] - 10.0)
    assert "difference" in ask(*words, dataset=name).out

    unknown = 'protocol = "full"\nprotocol_of_claims = false'
    plan.write_text(plan.read_text().replace('protocol = "full"', unknown))
    unsure = ask("--json", *words, dataset=name).json["panels"][0]
    assert not unsure["comparable"] and unsure["rows"][0]["difference"] is None
    assert "protocol differs or is not known" in " ".join(unsure["notes"])


def _published(drawn: Path, folder: Path) -> Path:
    """A plugin that makes the drawn pictures a data set with a published list."""
    from harness.data.open import open_dataset
    from harness.spec.plugins import load_plugins
    from reid_datasets.info import RGBNT201

    shutil.copytree(drawn, folder / "PRINTED").joinpath("SYNTHETIC.json").unlink()
    listed = open_dataset(str(drawn), load_plugins()).file_list_hash
    lines = RGBNT201.card.read_text().split("[counts.train]")[0].splitlines()
    kept = [x for x in lines if not x.startswith(("name =", "roots =", "file_list_hash ="))]
    card = folder / "printed_card.toml"
    head = f'name = "printed"\nroots = ["PRINTED"]\nfile_list_hash = "{listed}"\n'
    card.write_text(head + "\n".join(kept))
    plugin = folder / "printed_data.py"
    plugin.write_text(
        "from pathlib import Path\nfrom harness import DatasetInfo\n"
        f"DATA = DatasetInfo('printed', {RGBNT201.target!r}, Path({str(card)!r}))\n"
    )
    return plugin


def test_other_code_is_marked_and_run_again(ask: Ask, pieces: Path) -> None:
    first = _cells(ask("--run", "--json").json)[0]
    pieces.write_text(pieces.read_text() + "\n# another line\n")
    seen = ask("--json").json
    assert _cells(seen)[0]["runs"][0]["current"] is False  # type: ignore[index]
    assert _cells(seen)[0]["mean"] == first["mean"] and len(seen["missing"]) == 3
    assert "1†" in ask().out
    assert _cells(ask("--run", "--json").json)[0]["runs"] != first["runs"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "epoch=3"), "did you mean 'epochs'?"),
        (("--track", "oficial"), "did you mean 'official'?"),
        (("--format", "latx"), "did you mean 'latex'?"),
        (("--seeds", "1,1"), "--seeds 1,2,3"),
        (("--figure", "t.gif"), "--figure t.png"),
    ],
)
def test_mistakes_of_the_command_end_before_any_work(
    ask: Ask, words: tuple[str, ...], said: str
) -> None:
    answer = ask(*words, "--run", "--json")
    assert answer.code == 2 and said in answer.error["do"]


def test_a_row_that_cannot_be_is_explained_and_the_others_are_shown(ask: Ask, plan: Path) -> None:
    plan.write_text(PLAN + '\n[[rows]]\nlabel = "gone"\nmethod = "piecs"\n')
    answer = ask()
    assert answer.code == 0
    assert "No gone: unknown method 'piecs'" in answer.out and "narrow" in answer.out


def test_two_sets_for_one_column_are_refused(ask: Ask, drawn: Path) -> None:
    answer = ask("--dataset", drawn, "--json")
    assert answer.code == 2 and "both fit the column all" in answer.error["seen"]


@pytest.mark.parametrize(
    ("fmt", "sign"), [("markdown", "| method"), ("latex", r"\toprule"), ("csv", "label,")]
)
def test_paper_formats_hold_the_numbers_and_no_commands(ask: Ask, fmt: str, sign: str) -> None:
    cell = _cells(ask("--run", "--seeds", "1,2", "--json").json)[0]
    answer = ask("--seeds", "1,2,3", "--format", fmt)
    assert answer.code == 0
    assert sign in answer.out and f"{cell['mean']['mAP']:.2f}" in answer.out  # type: ignore[index]
    assert "harness run" not in answer.out and "harness run" in answer.err
    if fmt == "latex":
        assert re.search(r"\\label\{tab:[\w-]+\}", answer.out), answer.out
        chance = [line for line in answer.out.splitlines() if "Chance: mAP" in line]
        assert chance and all(line.startswith("% Ours: ") for line in chance)


def test_bold_is_what_is_not_told_apart_from_the_best_of_ours() -> None:
    column = Column(name="all", dataset="somewhere", protocol="full")
    claims = {"all": Claimed(mAP=99.0)}
    cells = []
    for n, level in enumerate((0.6, 0.605, 0.4)):
        row = Row(label=f"row {n}", method="made-up", claims=claims)
        run = record(level, n, recipe_hash=f"{n}" * 64)
        found = {1: Found(run, Path("record.json"), current=True)}
        cells.append(Cell(row, column, None, "smoke", (), found=found))
    panel = Panel(column, None, None, False, tuple(cells))
    assert marks_of_panel(panel, ["mAP"]) == {
        ("row 0", "mAP"): "best",
        ("row 1", "mAP"): "best",
        ("row 2", "mAP"): "second",
    }
