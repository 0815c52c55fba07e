"""What each data set holds and what each protocol means, in words."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from harness.base.errors import HarnessError
from harness.board import BoardTable
from harness.spec.dataset import SPLITS, Card, load_card
from harness.spec.protocol import Protocol, removed_in_words
from leaderboard_app.shared.address import choice
from leaderboard_app.shared.data import plugins, snapshot
from leaderboard_app.shared.links import DATASET, PROTOCOL
from leaderboard_app.shared.ranks import ranked
from leaderboard_app.shared.text import chance_sentence, literal, queries_sentence

_MOST_TABLES = 5


def show() -> None:
    """The whole page."""
    st.title("Data sets and protocols", anchor=False)
    known = plugins()
    cards = _cards()
    left, right = st.columns(2, gap="large")
    with left:
        titles = {name: card.title for name, card in cards.items()}
        name = choice("Data set", list(cards), DATASET, "rgbnt201", words=titles.__getitem__)
        _show_card(cards[name])
    with right:
        protocol = choice("Protocol", list(known.protocols), PROTOCOL, "full")
        _show_protocol(known.protocols[protocol], cards[name])
        _show_noise(cards[name], protocol)


@st.cache_resource(max_entries=1, show_spinner=False)
def _cards() -> dict[str, Card]:
    return {name: load_card(info.card) for name, info in sorted(plugins().datasets.items())}


def _show_card(card: Card) -> None:
    st.subheader(literal(card.title), anchor=False)
    st.text(card.kind)
    if card.counts:
        frame = pd.DataFrame(
            [
                {"split": split, **card.counts[split].model_dump()}
                for split in SPLITS
                if split in card.counts
            ]
        )
        st.dataframe(frame, hide_index=True, alt=f"Counts of {card.title}")
    else:
        st.caption("Its counts are not fixed: they are whatever the folder or manifest holds.")
    lines = {
        "Modalities": "+".join(card.modalities),
        "File names": card.grammar_words,
        "Removed for each query": removed_in_words(card.filter),
        "Licence": card.licence,
        "To be had from": card.where,
        "Cite": card.citation,
    }
    for title, text in lines.items():
        st.markdown(f"**{title}:** {literal(text)}")
    st.markdown("\n".join(f"- {literal(note)}" for note in card.notes))
    with st.expander("Folders"):
        st.code(card.tree.strip() or "as the manifest says", language=None)


def _show_protocol(protocol: Protocol, card: Card) -> None:
    st.subheader(literal(protocol.name), anchor=False)
    st.text(protocol.title)
    try:
        sentences = protocol.bind(card).in_words()
    except HarnessError as error:
        st.info(f"It does not apply to {literal(card.name)}: {literal(error.seen)}.")
        return
    st.markdown("\n".join(f"- {literal(sentence)}" for sentence in sentences))
    if protocol.used_by:
        st.caption(f"Used by: {literal('; '.join(protocol.used_by))}.")


def _show_noise(card: Card, protocol: str) -> None:
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
