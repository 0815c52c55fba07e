"""The page that `harness leaderboard` opens: streamlit run app.py -- OUT_FOLDER [options]."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from harness.base.errors import HarnessError
from leaderboard_app.shared.address import NotHereError
from leaderboard_app.shared.links import at_page, file_of
from leaderboard_app.shared.states import show_error, show_not_here

# Every page by its folder, which is also its path in the address.
PAGES = {
    "": {
        "board": "Board",
        "overview": "Overview",
        "progress": "Progress",
        "claimed": "Claimed and reproduced",
    },
    "Look closer": {
        "run": "Run",
        "compare": "Compare",
        "paper": "Table for a paper",
        "queries": "Queries",
        "embedding": "Embedding",
        "claim": "Claim",
        "method": "Method",
    },
    "About": {
        "sets": "Data sets and protocols",
        "guide": "Guides",
        "submit": "Submit",
    },
}

_STYLE = Path(__file__).with_name("style.css")
_ICON = Path(__file__).with_name("icon.png")


def main() -> None:
    """Draw the page of the address once; Streamlit calls this again at every click."""
    listed = {
        section: [
            st.Page(file_of(page), title=title, url_path=page, default=page == "board")
            for page, title in pages.items()
        ]
        for section, pages in PAGES.items()
    }
    known = {name: title for pages in PAGES.values() for name, title in pages.items()}
    asked = _page_of_the_address()
    if asked and asked not in known and "/" not in asked:
        # Streamlit would show the board under that address; of a path with slashes it says so.
        listed[""].append(
            st.Page(
                partial(_show_no_page, asked),
                title="Not here",
                url_path=asked,
                visibility="hidden",
            )
        )
    page = st.navigation(listed, position="top")
    at_page(page.url_path)
    title = f"{page.title} · Multi-modal re-identification"
    st.set_page_config(page_title=title, page_icon=str(_ICON), layout="wide")
    section = next((name for name, pages in PAGES.items() if page.url_path in pages), "")
    if section:
        # The bar at the top names the section alone.
        st.caption(f"{section} › {page.title}")
    try:
        page.run()
    except NotHereError as error:
        show_not_here(error, page.url_path)
    except HarnessError as error:
        # A store may be locked or gone between two looks at it, on any page.
        show_error(error)
    # Last: it is not to be seen, and takes a gap's height all the same.
    st.html(_STYLE)


def _page_of_the_address() -> str:
    """The page that the browser asks for, known or not; empty for the first one."""
    context = get_script_run_ctx()
    return (context.pages_manager.intended_page_name or "") if context else ""


def _show_no_page(asked: str) -> None:
    pages = [name for pages in PAGES.values() for name in pages]
    show_not_here(NotHereError("page", asked, len(pages), "choose one above"), "")


if __name__ == "__main__":
    main()
