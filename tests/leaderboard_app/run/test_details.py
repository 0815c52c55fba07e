"""What a run was made of."""

from __future__ import annotations

from leaderboard_app.run.details import in_lines


def test_settings_are_lines_that_set_takes() -> None:
    assert in_lines({"a": {"b": [1, 2]}, "c": "d"}) == 'a.b = [1, 2]\nc = "d"'
