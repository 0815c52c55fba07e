"""Text from records is shown letter by letter."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaderboard_app.shared.text import command, literal, settings


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tiny", "tiny"),
        ("a_b*c", r"a\_b\*c"),
        ("two\n# lines", r"two \# lines"),
        ("http://e.org", "http\\:\u2060\\/\\/e\\.org"),
        ("rgbnt201-variant@d7319477", r"rgbnt201\-variant\@d7319477"),
    ],
)
def test_literal(text: str, shown: str) -> None:
    assert literal(text) == shown


def test_a_command_is_safe_to_paste() -> None:
    assert command("show", "run", "x; rm -rf /", out=Path("runs")) == (
        "harness show run 'x; rm -rf /'"
    )


def test_settings_are_lines_that_set_takes() -> None:
    assert settings({"a": {"b": [1, 2]}, "c": "d"}) == 'a.b = [1, 2]\nc = "d"'
