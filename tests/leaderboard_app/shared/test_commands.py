"""Commands on a page."""

from __future__ import annotations

from pathlib import Path

from leaderboard_app.shared.commands import command


def test_a_command_is_safe_to_paste() -> None:
    assert command("show", "run", "x; rm -rf /", out=Path("runs")) == (
        "harness show run 'x; rm -rf /'"
    )
