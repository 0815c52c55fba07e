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
    ("ours", Value(50.126, spread=0.314, mark="best"), Value(2.0, mark="best")),
    (NASTY, Value(50.134, spread=0.2, mark="best"), Value(2.04, mark="best")),
    (
        "Łukasz Øre, \"naïve\" 'single' `tick` -- a,,b",
        Value(44.0, interval=(-1.5, 50.25), mark="second"),
        None,
    ),
    ("方法", Value(44.004, mark="second"), Value(7.25, mark="second")),
    ("chance", Value(99.0), Value(float("nan"))),
    notes=("Chance: mAP 5.29 %; 836 valid queries of 836.",),
    title="RGBNT201 – full_protocol · 95 % ± intervals",
)


def test_marks_are_those_that_a_comparison_gave_and_no_others() -> None:
    rows = json.loads(render(PAPER, "json"))["rows"]
    assert [row["mAP"].get("mark") for row in rows] == ["best", "best", "second", "second", None]
    assert rows[0]["mAP"] == {"value": 50.126, "sd": 0.314, "mark": "best"}
    text = render(PAPER, "markdown")
    assert text.count("**50.13** ±") == 2 and text.count("<u>44.00</u>") == 2
    # The larger of two numbers is not better by being larger.
    plain = render(view(("a", Value(1.0), None), ("b", Value(9.0), None)), "markdown")
    assert "**9.00**" not in plain and "<u>" not in plain


GROUPED = TableView(
    title="Two protocols",
    columns=(
        Column("Method", key="method"),
        Column("mAP", 1, "higher", key="full mAP", over="full"),
        Column("R-1", 1, "higher", key="full R1", over="full"),
        Column("mAP", 1, "higher", key="RGB>TI mAP", over="RGB>TI"),
    ),
    rows=(
        ("IEEE", Value(46.4), Value(47.1), None),
        ("A_b", Value(50.0, 0.31, mark="best", p=0.01), Value(51.0, p=0.05), Value(9.0)),
        ("C", Value(80.0), None, None),
    ),
    notes=("† differs from IEEE (p < 0.05, Holm).",),
    inputs_hash="0123456789abcdef",
    groups=("ResNet50", "ResNet50", "ViT-B/16"),
    label="tab:two",
    details=("A_b: runs 12 ± 34\n\\end{table}",),
)


def test_protocols_stand_side_by_side_and_rows_in_groups() -> None:
    tex = render(GROUPED, "latex")
    assert r"\multicolumn{2}{c}{full} & \multicolumn{1}{c}{RGB\textgreater{}TI}" in tex
    assert r"\cmidrule(lr){2-3}\cmidrule(lr){4-4}" in tex and r"\label{tab:two}" in tex
    assert tex.count(r"\emph{ResNet50}") == tex.count(r"\emph{ViT-B/16}") == 1
    assert r"\textbf{50.0}$^{\dag}$ $\pm$ 0.3" in tex and r"51.0$^{\dag}$" not in tex
    # Details are comments, and no text of a record ends one.
    assert "% A_b: runs 12 +- 34 \\end{table}\n" in tex
    text = render(GROUPED, "markdown")
    assert "*ViT-B/16*" in text and "**50.0**† ± 0.3" in text and "full mAP" in text
    lines = [line for line in render(GROUPED, "csv").splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert [row["group"] for row in rows] == ["ResNet50", "ResNet50", "ViT-B/16"]
    assert rows[1]["full mAP p"] == "0.01" and rows[1]["RGB>TI mAP"] == "9.0"
    assert json.loads(render(GROUPED, "json"))["rows"][2]["group"] == "ViT-B/16"


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


BOOKTABS = r"""
\IfFileExists{booktabs.sty}{\usepackage{booktabs}}{
  \let\toprule\hline \let\midrule\hline \let\bottomrule\hline
  \def\cmidrule(##1)##2{\cline{##2}}
}
"""
"""The package, or what its rules come to: Debian's texlive-latex-base alone does not have it."""


@pytest.mark.parametrize("table", [PAPER, GROUPED], ids=["plain", "grouped"])
def test_latex_compiles(table: TableView, tmp_path: Path) -> None:
    tex = shutil.which("pdflatex")
    if tex is None:
        pytest.skip("no pdflatex on this machine; the comparison with the compiled file has run")
    document = (
        "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{textcomp}\n"
        f"{BOOKTABS}\\begin{{document}}\n{render(table, 'latex')}\\end{{document}}"
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
    with pytest.raises(ValueError, match="no label"):
        TableView("", COLUMNS, (), (), "0123456789abcdef", label="a}\\input{b")
    with pytest.raises(ValueError, match="twice"):
        TableView("", (Column("a"), Column("a")), (), (), "0123456789abcdef")
