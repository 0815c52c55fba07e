"""What a row of a table says, in the words of several pages."""

from __future__ import annotations

from harness.board import BoardRow

CLAIMED, RUN_HERE = "claimed", "run here"
UNKNOWN = "not said"


def kind_of(row: BoardRow) -> str:
    """Claimed in a paper, or run here."""
    return CLAIMED if row.kind == "claim" else RUN_HERE


def said(text: str) -> str:
    """A value that may be unknown."""
    return text or UNKNOWN


def millions(row: BoardRow) -> float | None:
    """Of parameters."""
    return None if row.parameters is None else row.parameters / 1e6
