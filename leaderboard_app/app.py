"""The page that `harness leaderboard` opens: streamlit run app.py -- OUT_FOLDER [options]."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

# Every page by its file in views/, which is also its path in the address.
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
    here = Path(__file__).parent / "views"
    listed = {
        section: [
            st.Page(here / f"{path}.py", title=title, url_path=path, default=path == "board")
            for path, title in pages.items()
        ]
        for section, pages in PAGES.items()
    }
    st.navigation(listed, position="top").run()


if __name__ == "__main__":
    main()
