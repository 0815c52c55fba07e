"""What each data set holds and what each protocol means, in words."""

from __future__ import annotations

import streamlit as st

from harness.base.errors import HarnessError
from harness.spec.dataset import Card
from harness.spec.protocol import Protocol
from leaderboard_app.sets.cards import show_card
from leaderboard_app.sets.noise import show_noise
from leaderboard_app.shared.address import choice
from leaderboard_app.shared.data import all_cards, plugins
from leaderboard_app.shared.links import DATASET, PROTOCOL
from leaderboard_app.shared.text import literal


def show() -> None:
    """The whole page."""
    st.title("Data sets and protocols", anchor=False)
    known = plugins()
    cards = all_cards()
    left, right = st.columns(2, gap="large")
    with left:
        titles = {name: card.title for name, card in cards.items()}
        name = choice(
            "Data set",
            list(cards),
            DATASET,
            "rgbnt201",
            words=titles.__getitem__,
            what="data set",
        )
        show_card(cards[name])
    with right:
        protocol = choice("Protocol", list(known.protocols), PROTOCOL, "full", what="protocol")
        _show_protocol(known.protocols[protocol], cards[name])
        show_noise(cards[name], protocol)


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


if __name__ == "__main__":
    show()
