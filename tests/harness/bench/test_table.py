"""Rows as Markdown, between markers of a page, and as JSON."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.bench import Goal, Row, Spread
from harness.bench.table import markdown, put

ROW = Row(
    "a step",
    ours=Spread(1.0, 0.9, 1.2),
    peer=Spread(2.0, 1.9, 2.2),
    ratio=Spread(0.5, 0.4, 0.6),
    goal=Goal("share", 0.75),
    floor=0.25,
)


def test_a_row_says_medians_ranges_the_goal_and_the_share_of_the_floor() -> None:
    line = markdown([ROW], "below").splitlines()[2]
    assert line == (
        "| a step | 1 s (0.9 to 1.2) | 2 s (1.9 to 2.2) | 0.5 (0.4 to 0.6) "
        "| at most 0.75 of it | yes | 0.25 s | 25 % |"
    )


@pytest.mark.parametrize(
    ("goal", "reached"),
    [
        (Goal("share", 0.4), False),
        (Goal("times", 0.5), True),
        (Goal("times", 5), False),
        (Goal("value", 1.5), True),
        (Goal("value", 0.9), False),
    ],
)
def test_a_goal_is_held_against_the_median(goal: Goal, reached: bool) -> None:
    assert goal.reached(ROW) is reached


def test_what_was_not_measured_reaches_nothing_and_says_why() -> None:
    row = Row("a GPU", goal=Goal("times", 3), note="no GPU here")
    text = markdown([row, ROW], "below")
    assert "| a GPU (1) | not measured |" in text and "(1) no GPU here" in text
    assert row.goal is not None and row.goal.reached(row) is None


def test_of_a_rate_the_floor_is_a_ceiling() -> None:
    rate = Row("images", ours=Spread(50, 40, 60), unit="images/s", floor=200)
    assert "| 200 images/s | 25 % |" in markdown([rate], "")


def test_json_and_back_is_the_same_row() -> None:
    told = json.loads(json.dumps(ROW.as_json()))
    assert told["reached"] is True and told["ratio"]["high"] == 0.6
    assert Row.from_json(told) == ROW


PAGE = "# Measured\n\nbefore\n\n{block}\n\nafter | with — signs\n"


def test_only_what_is_between_the_markers_changes(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    other = "<!-- bench:other -->\nkept\n<!-- /bench:other -->"
    old = "<!-- bench:step -->\nold\n<!-- /bench:step -->"
    page.write_text(PAGE.format(block=f"{other}\n{old}"))
    put(page, "step", "new\n")
    new = "<!-- bench:step -->\nnew\n<!-- /bench:step -->"
    assert page.read_text() == PAGE.format(block=f"{other}\n{new}")
    put(page, "step", "new\n")
    assert page.read_text() == PAGE.format(block=f"{other}\n{new}")


def test_missing_markers_go_to_the_end(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("# Measured\n")
    put(page, "step", "new")
    assert page.read_text() == "# Measured\n\n<!-- bench:step -->\nnew\n<!-- /bench:step -->\n"


@pytest.mark.parametrize(
    "text",
    [
        "<!-- bench:step -->\nhalf\n",
        "<!-- /bench:step -->\n<!-- bench:step -->\n",
        "<!-- bench:step --><!-- /bench:step --><!-- bench:step --><!-- /bench:step -->",
    ],
)
def test_damaged_markers_are_an_error_and_the_page_stays(tmp_path: Path, text: str) -> None:
    page = tmp_path / "README.md"
    page.write_text(text)
    with pytest.raises(HarnessError, match="bench:step"):
        put(page, "step", "new")
    assert page.read_text() == text


def test_a_page_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "README.md"
    page.write_text("# Measured\n")

    def fail(self: Path, target: Path) -> None:
        assert "new" in self.read_text()
        raise OSError(errno.EIO, "the machine stopped here")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="stopped"):
        put(page, "step", "new")
    assert [file.name for file in tmp_path.iterdir()] == ["README.md"]
    assert page.read_text() == "# Measured\n"
