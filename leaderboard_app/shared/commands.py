"""Commands to copy, for the folder of runs that is shown."""

from __future__ import annotations

import shlex
from pathlib import Path

import streamlit as st

from leaderboard_app.shared.settings import read_settings


def command(*words: str, out: Path) -> str:
    """A command to copy; nothing in `words` is more to a shell than a word."""
    folder = [] if out == Path("runs") else ["--out", str(out)]
    return shlex.join(["harness", *words, *folder])


def show_commands(*commands: tuple[str, ...]) -> None:
    """Commands by their words, a line for each."""
    out = read_settings().out
    lines = [command(*words, out=out) for words in commands]
    st.code("\n".join(lines), language="bash", wrap_lines=True)
