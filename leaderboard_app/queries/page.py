"""A query triplet and its nearest gallery triplets, exactly as the metric ranked them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from harness.base.errors import HarnessError
from harness.evidence.record import RunRecord
from leaderboard_app.shared.address import asked, choice, put, segments, switch, whole
from leaderboard_app.shared.answer_rows import LEGEND, show_answers, show_query
from leaderboard_app.shared.answers import ordered
from leaderboard_app.shared.chosen import chosen_run, runs_with_evidence
from leaderboard_app.shared.data import evidence_of, snapshot, stored
from leaderboard_app.shared.links import OTHER, QUERY
from leaderboard_app.shared.names import method_words
from leaderboard_app.shared.places import place_of
from leaderboard_app.shared.states import show_error
from leaderboard_app.shared.text import literal

ORDER, GONE, SEED = "order", "removed", "draw"

_ORDERS = {"worst": "Worst first", "best": "Best first", "random": "Random"}
_BY_DIFFERENCE = {"difference": "Largest difference"}
_SHOWN = 10
_NO_OTHER = "–"


def show() -> None:
    """The whole page."""
    st.title("Queries", anchor=False)
    choices = runs_with_evidence()
    if not choices:
        return
    left, right = st.columns(2)
    with left:
        run_id = chosen_run(choices, resets=(OTHER, QUERY))
    one = stored(run_id).record
    # Only a run of the same queries can be held beside this one.
    others = [_NO_OTHER, *_comparable(one, list(choices))]
    with right:
        beside = choice(
            "Beside",
            others,
            OTHER,
            words=lambda r: choices.get(r, "no other run"),
            what="run of the same queries, with descriptors,",
        )
    try:
        first = evidence_of(run_id)
        second = None if beside == _NO_OTHER else evidence_of(beside)
    except HarnessError as error:
        show_error(error, "The stored descriptors cannot be read")
        return
    two = None if second is None else stored(beside).record
    query, gone = _choose(one, two)
    place = place_of(one)
    if place is None:
        _say_no_pictures(one)
    show_query(place, first, query, one)
    show_answers(place, first, query, one, "" if two is None else _called(one), _SHOWN, gone)
    if second is not None and two is not None:
        show_answers(place, second, query, two, _called(two), _SHOWN, gone)
    st.caption(LEGEND)


def _called(record: RunRecord) -> str:
    return f"{method_words(record.method)} (seed {record.seed})"


def _comparable(one: RunRecord, runs: list[str]) -> list[str]:
    """Runs of the same queries: the same data and protocol."""
    known = snapshot().summaries
    here = (one.pictures_hash, one.protocol_hash)
    return [
        r for r in runs if r != one.run_id and (known[r].data_hash, known[r].protocol_hash) == here
    ]


def _choose(one: RunRecord, two: RunRecord | None) -> tuple[int, bool]:
    """The controls; the query's position in the list, and whether removed entries are shown."""
    orders = _ORDERS if two is None else {**_BY_DIFFERENCE, **_ORDERS}
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        order: Any = segments("Order", orders, ORDER, next(iter(orders)))
        seed = whole("Draw", SEED, 0, 9999, 0, width=110) if order == "random" else 0
        gone = switch("Show what the protocol removed", GONE)
    other = None if two is None else two.per_query.ap
    listed = ordered(order, one.per_query.ap, other, seed)
    names = [one.per_query.names[i] for i in listed]
    position = names.index(asked(QUERY)) if asked(QUERY) in names else 0
    name = choice(
        "Query",
        names,
        QUERY,
        words=lambda n: _describe(n, names, listed, one, two),
        what="query with a match",
    )
    with row, st.container(horizontal=True, width="content"):
        for label, step in (("Previous", -1), ("Next", 1)):
            there = min(max(position + step, 0), len(names) - 1)
            st.button(label, on_click=put, args=(QUERY, names[there]), disabled=there == position)
    return listed[names.index(name)], gone


def _describe(
    name: str, names: list[str], listed: list[int], one: RunRecord, two: RunRecord | None
) -> str:
    place = names.index(name)
    found = [100 * (record.per_query.ap[listed[place]] or 0.0) for record in (one, two) if record]
    return f"{place + 1} of {len(names)} · {name} · AP " + " against ".join(
        f"{value:.1f}" for value in found
    )


def _say_no_pictures(record: RunRecord) -> None:
    st.info(
        f"The pictures of {literal(record.dataset_label)} are not on this machine, or the page was "
        "not told where: start it with `harness leaderboard --data FOLDER`."
    )


if __name__ == "__main__":
    show()
