"""What the card of a data set says."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from harness.spec.dataset import SPLITS, Card
from harness.spec.protocol import removed_in_words
from leaderboard_app.shared.text import literal


def show_card(card: Card) -> None:
    """Counts, rules, licence and notes."""
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
