"""How far a row of the leaderboard was checked, found by machine and never read from a file."""

from __future__ import annotations

from enum import StrEnum


class Trust(StrEnum):
    """The levels, lowest first.

    `claimed`: a number in a paper, with its source. `evaluated`: what a run's weights gave under a
    further protocol, kept beside its record and no part of it; the weights give it again, and no
    check has asked them to. `reported`: a record. `rescored`: its metrics
    were computed again from its stored descriptors under its protocol, which proves the arithmetic
    and not the descriptors. `rerun`: trained again from its recipe here, within tolerance.

    They are ordered by `rank`, not by their letters: compare `a.rank >= b.rank`.
    """

    CLAIMED = "claimed"
    EVALUATED = "evaluated"
    REPORTED = "reported"
    RESCORED = "rescored"
    RERUN = "rerun"

    @property
    def rank(self) -> int:
        """0 for `claimed` up to 4 for `rerun`."""
        return list(Trust).index(self)
