"""`harness export` for a paper: chosen rows, protocols side by side, and what is sure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Harness
from tests.harness.board.helpers import keep, own, record

LEVELS = (0.6, 0.605, 0.4)


@pytest.fixture
def out(tmp_path: Path) -> tuple[str, Path]:
    return "--out", tmp_path / "runs"


def test_an_author_gets_a_latex_table_of_chosen_rows(
    harness: Harness, out: tuple[str, Path]
) -> None:
    published = {"label": "rgbnt201", "name": "rgbnt201", "data_hash": "f" * 64}
    own_runs = [
        record(level, n, dataset=published, **own(20 + n)) for n, level in enumerate(LEVELS)
    ]
    keep(out[1], *own_runs)
    words = ["export", *out, "--dataset", "rgbnt201", "--protocol", "full", "--format", "latex"]
    claims = ["ieee.ieee.rgbnt201.full", "ieee.mlfn.rgbnt201.full"]
    chosen = [*claims, *(r.run_id[:10] for r in own_runs)]
    words += ["--metric", "mAP", "--metric", "R1", "--label", "tab:mine", "--caption", "Mine."]
    answer = harness(*words, *chosen, "--baseline", own_runs[2].run_id)
    assert answer.code == 0, answer.err
    tex = answer.out
    lines = [line for line in tex.splitlines() if line.endswith(r"\\")]
    assert lines[0] == r"Method & mAP & R-1 \\" and len(lines) == 6, "in the order asked for"
    assert lines[1].startswith("IEEE & 46.4") and lines[2].startswith("MLFN") and "24.7" in lines[2]
    # The two that tie are both bold, the third is told apart; papers take part in neither.
    bold = [r"\textbf" in line for line in lines[1:]]
    assert bold == [False, False, True, True, False] and r"\underline" in lines[5]
    assert [r"$^{\dag}$" in line for line in lines[1:]] == [False, False, True, True, False]
    assert r"\label{tab:mine}" in tex and r"\caption{Mine.}" in tex
    details = [line for line in tex.splitlines() if line.startswith("%")]
    assert any(own_runs[0].run_id in line for line in details)
    wrong = harness(*words, "ieee.ieee.rgbnt201.ful", "--json")
    assert wrong.code == 2 and "'ieee.ieee.rgbnt201.full'" in wrong.error["do"]
    assert harness(*words, "--label", "a}b", "--json").error["kind"] == "HarnessError"


def test_protocols_stand_side_by_side_in_groups(harness: Harness, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    words = ["export", "--out", tmp_path / "runs", "--dataset", "rgbnt201", "--group-by", "year"]
    words += ["--protocol", "full", "--protocol", "missing", "--metric", "mAP", "--json"]
    view = harness(*words).json
    assert [c["over"] for c in view["columns"][1:]] == [
        "full", "-RGB", "-NI", "-TI", "-RGB-NI", "-RGB-TI", "-NI-TI",
    ]  # fmt: skip
    years = [row["group"] for row in view["rows"]]
    assert years == sorted(years) and len(set(years)) > 3
    (demo,) = [row for row in view["rows"] if row["method"] == "DeMo"]
    assert demo["-NI-TI mAP"]["value"] == 40.3
    # Numbers of papers have no interval: none is bold, however large.
    cells = [cell for row in view["rows"] for cell in row.values() if isinstance(cell, dict)]
    assert cells and not any("mark" in cell for cell in cells)
