"""What the page says when there is nothing to show."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from harness.errors import HarnessError
from leaderboard_app.text import command, literal


def show_empty(folder: Path) -> None:
    """No runs yet, and how to make the first."""
    st.subheader("No runs yet", anchor=False)
    st.markdown("This trains and scores a first method on the embedded synthetic set:")
    st.code(command("run", "--method", "ieee", out=folder), language="bash", wrap_lines=True)
    st.markdown("Reload this page when it is done.")


def show_error(error: HarnessError) -> None:
    """What was seen, what was expected and what to do."""
    st.subheader("The runs cannot be read", anchor=False)
    with st.container(border=True):
        st.markdown(f"**Seen:** {literal(error.seen)}")
        st.markdown(f"**Expected:** {literal(error.expected)}")
        st.markdown(f"**Do this:** {literal(error.do)}")
    st.caption("Then reload this page.")
