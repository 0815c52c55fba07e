"""The runs that are held against each other: a run for each side, or the seeds of a row."""

from __future__ import annotations

import streamlit as st

from harness.board.compare import Comparison, compare
from harness.store import Stored
from leaderboard_app.compare.suggestions import show_suggestions
from leaderboard_app.shared.address import asked_all, require_known, several
from leaderboard_app.shared.data import all_runs, infos, stored
from leaderboard_app.shared.links import RUN
from leaderboard_app.shared.states import show_nothing

_MOST_SIDES = 6
_QUERIES = 12


def chosen_sides() -> list[list[Stored]] | None:
    """The sides: one run each, or the seeds of a row joined by commas in the address."""
    known = all_runs()
    if len(known) < 2:
        show_nothing("Fewer than two runs", "run", "--method", "ieee", "--seeds", "1,2")
        return None
    for side in asked_all(RUN):
        for run_id in side.split(","):
            require_known("run", run_id, known)
    joined = [value for value in asked_all(RUN) if "," in value]
    words = {value: _seeds_in_words(value, known) for value in joined} | known
    chosen = several(
        "Runs, the first is the one the others are held against",
        list(words),
        RUN,
        words=words.__getitem__,
        most=_MOST_SIDES,
    )
    if len(chosen) < 2:
        st.info("Choose two runs or more; rows of the board can be picked and sent here.")
        show_suggestions()
        return None
    return [[stored(run_id) for run_id in side.split(",")] for side in chosen]


def compared(sides: list[list[Stored]]) -> Comparison:
    """The comparison of these sides, made once for all sessions.

    Raises:
        HarnessError: They do not compare.
    """
    return _compared(tuple(_ids(side) for side in sides), sides)


@st.cache_resource(max_entries=32, show_spinner="Comparing query by query")
def _compared(ids: tuple[str, ...], _sides: list[list[Stored]]) -> Comparison:
    # Records never change: their ids say everything.
    return compare(*_sides, queries=_QUERIES, infos=infos())


def _ids(side: list[Stored]) -> str:
    return ",".join(run.record.run_id for run in side)


def _seeds_in_words(value: str, known: dict[str, str]) -> str:
    ids = value.split(",")
    return f"{len(ids)} seeds of {known[ids[0]]}"
