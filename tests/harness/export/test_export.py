"""Tables on paper: marks and ties, escaping of names from anywhere, LaTeX that compiles."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.base.errors import UnknownNameError
from harness.export import FORMATS, Cell, Column, TableView, Value, render

FIXTURE = Path(__file__).parent / "table.tex"
COLUMNS = (
    Column("method"),
    Column("mAP", better="higher"),
    Column("ms", 1, "lower", key="latency"),
)
NASTY = "100% \\input{/etc/passwd} $x_1^2$ #~&|<b>[a]"


def view(*rows: tuple[Cell, ...], notes: tuple[str, ...] = (), title: str = "A table") -> TableView:
    return TableView(title, COLUMNS, rows, notes, "0123456789abcdef")


PAPER = view(
    ("ours", Value(50.126, spread=0.314), Value(2.0)),
    (NASTY, Value(50.134, spread=0.2), Value(2.04)),
    ("Łukasz Øre, \"naïve\" 'single' `tick` -- a,,b", Value(44.0, interval=(-1.5, 50.25)), None),
    ("方法", Value(44.004), Value(7.25)),
    ("chance", Value(99.0, ranked=False), Value(float("nan"))),
    notes=("Chance: mAP 5.29 %; 836 valid queries of 836.",),
    title="RGBNT201 – full_protocol · 95 % ± intervals",
)


def test_equal_printed_values_share_the_mark() -> None:
    rows = json.loads(render(PAPER, "json"))["rows"]
    assert [row["mAP"].get("mark") for row in rows] == ["best", "best", "second", "second", None]
    marks = [row["latency"] and row["latency"].get("mark") for row in rows]
    assert marks == ["best", "best", None, "second", None]
    assert rows[0]["mAP"] == {"value": 50.126, "sd": 0.314, "mark": "best"}
    text = render(PAPER, "markdown")
    assert text.count("**50.13** ±") == 2 and text.count("<u>44.00</u>") == 2


def test_nothing_is_best_where_nothing_is_better() -> None:
    for rows in ([("a", Value(1.0), None)], [("a", Value(1.0), None), ("b", Value(1.001), None)]):
        assert "**1.00**" not in render(view(*rows), "markdown")


def test_markdown_of_a_hostile_name_has_one_cell_and_no_markup() -> None:
    text = render(view(("a|b\n<script>*x*</script>[l](u)", Value(1.0), None)), "markdown")
    row = text.splitlines()[4]
    assert row.replace("\\|", "").count("|") == 4
    assert "\\<script\\>" in row and "\\[l\\]" in row and "\\*x\\*" in row
    assert text.endswith("<!-- inputs sha256 0123456789abcdef -->\n")


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-x", "@sum", "\t=1", " =1", "\r=1", "＝1", "#x", '"=1']
)
def test_no_cell_of_a_csv_is_a_formula(name: str) -> None:
    lines = render(view((name, Value(-1.5), None)), "csv").splitlines()
    (head, row) = csv.reader([line for line in lines if not line.startswith("#")])
    assert head == ["method", "mAP", "latency"]
    assert row[0].lstrip()[0] not in "=+-@＝#"
    assert row[1:] == ["-1.50", ""]


def test_a_csv_has_spread_and_interval_in_columns_of_their_own() -> None:
    lines = render(PAPER, "csv").splitlines()
    assert lines[0] == "# RGBNT201 – full_protocol · 95 % ± intervals"
    assert lines[2] == "# inputs sha256 0123456789abcdef"
    rows = list(csv.DictReader(lines[3:]))
    assert list(rows[0]) == ["method", "mAP", "mAP sd", "mAP low", "mAP high", "latency"]
    assert rows[0]["mAP sd"] == "0.31" and rows[2]["mAP low"] == "-1.50"
    assert rows[1]["method"] == NASTY


def test_latex_is_what_was_compiled() -> None:
    assert render(PAPER, "latex") == FIXTURE.read_text(encoding="utf-8")


def test_latex_compiles(tmp_path: Path) -> None:
    tex = shutil.which("pdflatex")
    if tex is None:
        pytest.skip("no pdflatex on this machine; the comparison with the compiled file has run")
    document = (
        "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{textcomp}\n"
        f"\\usepackage{{booktabs}}\n\\begin{{document}}\n{render(PAPER, 'latex')}\\end{{document}}"
    )
    (tmp_path / "paper.tex").write_text(document, encoding="utf-8")
    command = [tex, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 1000
    assert "Missing character" not in (tmp_path / "paper.log").read_text(errors="replace")


@pytest.mark.parametrize("fmt", FORMATS)
def test_an_empty_table_has_its_head_and_hash(fmt: str) -> None:
    text = render(view(), fmt)
    assert "method" in text and "0123456789abcdef" in text


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(UnknownNameError, match="unknown format 'markdwn'") as caught:
        render(PAPER, "markdwn")
    assert "'markdown'" in caught.value.do


def test_a_view_refuses_what_cannot_be_printed() -> None:
    with pytest.raises(ValueError, match="row 1 has not 3 cells"):
        view(("a", None, None), ("b", None))
    with pytest.raises(ValueError, match="no hash"):
        TableView("", COLUMNS, (), (), "abc\n\\end{table}")
    with pytest.raises(ValueError, match="twice"):
        TableView("", (Column("a"), Column("a")), (), (), "0123456789abcdef")
