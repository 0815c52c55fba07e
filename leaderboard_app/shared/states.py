"""What the page says when there is nothing to show."""

from __future__ import annotations

import streamlit as st

from harness.base.errors import HarnessError
from leaderboard_app.shared.address import NotHereError
from leaderboard_app.shared.commands import show_commands
from leaderboard_app.shared.links import BOARD_PAGE, to_page
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
    _show_parts(error)
    st.caption("Then reload this page.")


def show_not_here(error: NotHereError, page: str) -> None:
    """The address names what is not here: nothing else is shown under it, only the way on.

    Args:
        error: What was asked for.
        page: The page by its name in the address; empty for one that does not exist.
    """
    st.subheader("Not in this store", anchor=False)
    _show_parts(error)
    with st.container(horizontal=True):
        if page not in ("", BOARD_PAGE):
            to_page(page, "This page, without what was asked for", {})
        to_page(BOARD_PAGE, "The board: everything that is here", {})


def _show_parts(error: HarnessError) -> None:
    with st.container(border=True):
        st.markdown(f"**Seen:** {literal(error.seen)}")
        st.markdown(f"**Expected:** {literal(error.expected)}")
        st.markdown(f"**Do this:** {literal(error.do)}")
