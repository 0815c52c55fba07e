"""What a row of a table says, in the words of several pages."""

from __future__ import annotations

from harness.board import BoardRow
from leaderboard_app.shared.look import TRUST_MARKS

TRUST_HELP = (
    "claimed: printed in a paper. evaluated: a run's weights under a further protocol; they give "
    "it again. reported: a run's record, which nobody has checked here. "
    "rescored: computed again from its stored descriptors. rerun: trained again here, within "
    "tolerance. The guide How far a number can be trusted says more."
)
CLAIMED, RUN_HERE = "claimed", "run here"
UNKNOWN = "not said"


def kind_of(row: BoardRow) -> str:
    """Claimed in a paper, or run here."""
    return CLAIMED if row.kind == "claim" else RUN_HERE


def trust_mark(row: BoardRow) -> str:
    """The level of trust as a mark with its word."""
    word = str(row.trust)
    return f"{TRUST_MARKS.get(word, '○')} {word}"


def said(text: str) -> str:
    """A value that may be unknown."""
    return text or UNKNOWN


def millions(row: BoardRow) -> float | None:
    """Of parameters."""
    return None if row.parameters is None else row.parameters / 1e6
