"""The page that `harness leaderboard` opens: streamlit run app.py -- OUT_FOLDER [options]."""

from __future__ import annotations

import streamlit as st

from harness.base.errors import HarnessError
from leaderboard_app.shared.links import file_of
from leaderboard_app.shared.states import show_error

# Every page by its folder, which is also its path in the address.
PAGES = {
    "": {
        "board": "Board",
        "progress": "Progress",
        "claimed": "Claimed and reproduced",
    },
    "Look closer": {
        "run": "Run",
        "compare": "Compare",
        "queries": "Queries",
        "embedding": "Embedding",
    },
    "About": {
        "sets": "Data sets and protocols",
        "submit": "Submit",
    },
}


def main() -> None:
    """Draw the page of the address once; Streamlit calls this again at every click."""
    st.set_page_config(page_title="Multi-modal re-identification", layout="wide")
    listed = {
        section: [
            st.Page(file_of(page), title=title, url_path=page, default=page == "board")
            for page, title in pages.items()
        ]
        for section, pages in PAGES.items()
    }
    try:
        st.navigation(listed, position="top").run()
    except HarnessError as error:
        # A store may be locked or gone between two looks at it, on any page.
        show_error(error)


if __name__ == "__main__":
    main()
