"""Text from records is shown letter by letter."""

from __future__ import annotations

import pytest

from leaderboard_app.shared.text import literal


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
