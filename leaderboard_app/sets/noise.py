"""How much of a number is chance, and of a difference noise."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from harness.base.errors import HarnessError
from harness.board import BoardTable
from harness.spec.dataset import Card
from leaderboard_app.shared.data import snapshot
from leaderboard_app.shared.ranks import ranked
from leaderboard_app.shared.text import chance_sentence, literal, queries_sentence

_MOST_TABLES = 5


def show_noise(card: Card, protocol: str) -> None:
    """Chance level, and the smallest difference that can be told apart."""
    st.markdown("**How much is noise**")
    try:
        every = snapshot().tables
    except HarnessError as error:
        st.caption(f"The store cannot be read: {literal(error.seen)}.")
        every = ()
    # A drawn or changed folder has the card's name and a hash behind it.
    here = [
        t for t in every if t.protocol == protocol and t.data_hash and _is_of(t.dataset, card.name)
    ]
    if not here and protocol == card.protocol and card.chance:
        st.text(chance_sentence(card.chance))
    here.sort(key=lambda table: len(table.rows), reverse=True)
    places = [(table, st.empty()) for table in here[:_MOST_TABLES]]
    # What can be told apart comes last: the rows are compared with each other for it.
    for compared in (False, True):
        for table, place in places:
            _say_noise(place, ranked(table) if compared else table, compared)
    if len(here) > _MOST_TABLES:
        st.caption(f"Smaller tables of such data, {len(here) - _MOST_TABLES}, are on the board.")
    if not here:
        st.caption(
            "What difference can be told apart is estimated from runs, and there are none here "
            "under this protocol."
        )


def _say_noise(place: DeltaGenerator, found: BoardTable, compared: bool) -> None:
    words = [
        f"{found.dataset}:",
        chance_sentence(found.chance),
        queries_sentence(found.queries, found.valid_queries),
    ]
    if found.resolution is not None:
        words.append(
            f"Two runs that differ by less than {found.resolution:.1f} points of mAP can "
            "usually not be told apart."
        )
    elif compared:
        words.append("What can be told apart is known once two rows are there.")
    place.text(" ".join(words))


def _is_of(label: str, name: str) -> bool:
    return label == name or label.startswith((f"{name}-", f"{name}@"))
