"""What the page says when there is nothing to show."""

from __future__ import annotations

import streamlit as st

from harness.base.errors import HarnessError
from leaderboard_app.shared.commands import show_commands
from leaderboard_app.shared.text import literal


def show_nothing(title: str, *words: str) -> None:
    """Nothing yet, and the command that would change that."""
    st.subheader(title, anchor=False)
    st.markdown("This makes some, on the embedded drawn figures:")
    show_commands(words)
    st.markdown("Reload this page when it is done.")


def show_error(error: HarnessError, title: str = "The runs cannot be read") -> None:
    """What was seen, what was expected and what to do."""
    st.subheader(title, anchor=False)
    with st.container(border=True):
        st.markdown(f"**Seen:** {literal(error.seen)}")
        st.markdown(f"**Expected:** {literal(error.expected)}")
        st.markdown(f"**Do this:** {literal(error.do)}")
    st.caption("Then reload this page.")
