"""What is drawn of a table: where ties end, and rows of one name."""

from __future__ import annotations

from leaderboard_app.shared.picture import picture_frame
from tests.leaderboard_app.rows import claim, row


def test_each_group_of_ties_has_another_shade_than_the_one_before() -> None:
    groups = [0, 0, 1, 2, 2, 3, 3]
    rows = [row(str(i), 90.0 - i, tie_group=group) for i, group in enumerate(groups)]
    found = picture_frame([*rows, claim("published", 95.0)], "mAP")
    assert list(found["tied"]) == [1, 1, 0, 2, 2, 1, 1, 0]


def test_rows_of_one_name_are_two_and_a_row_without_the_number_is_none() -> None:
    rows = [row("a", 50.0, title="one"), row("b", 40.0, title="one"), claim("c", None)]
    found = picture_frame(rows, "mAP")
    assert list(found["value"]) == [50.0, 40.0]
    assert found["name"].is_unique
    assert [name.rstrip("\u200b") for name in found["name"]] == ["one", "one"]
