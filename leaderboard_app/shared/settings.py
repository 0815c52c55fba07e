"""What the person who started the page decided, as the words after `app.py --`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NamedTuple

TOKEN_VARIABLE = "HARNESS_SUBMIT_TOKEN"


class Settings(NamedTuple):
    """Where records and pictures are, and whether visitors may add a record."""

    out: Path
    """The --out folder of harness run."""
    store: str | None
    """The URL of a team's store; None for the file in `out`."""
    data: tuple[str, ...]
    """Names or folders of data sets whose pictures may be shown."""
    allow_submit: bool
    token: str | None
    """What a visitor must know to add a record; never None where that is allowed."""


def read_settings() -> Settings:
    """The settings of this process."""
    parser = argparse.ArgumentParser(prog="leaderboard")
    parser.add_argument("out", nargs="?", default="runs")
    parser.add_argument("--store")
    parser.add_argument("--data", action="append", default=[])
    parser.add_argument("--allow-submit", action="store_true")
    given = parser.parse_args(sys.argv[1:])
    # Not a word of the command line: other users of the machine can read those.
    token = os.environ.get(TOKEN_VARIABLE)
    return Settings(
        Path(given.out),
        given.store or os.environ.get("HARNESS_STORE"),
        tuple(given.data),
        given.allow_submit and bool(token),
        token,
    )
