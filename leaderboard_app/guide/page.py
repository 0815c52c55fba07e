"""The guides that come with the project, read where they explain what is on the pages."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from leaderboard_app.shared.address import choice
from leaderboard_app.shared.links import GUIDE

GUIDES = {
    "trust": "How far a number can be trusted",
    "leaderboard": "The leaderboard",
    "claims": "Published numbers",
    "protocols": "Protocols",
    "datasets": "Data sets",
    "add-a-method": "Add a method",
    "reconstruction": "Market1501-MM made again",
    "store": "The store",
    "speed": "Speed",
}

_FOLDER = Path(__file__).parents[2] / "docs"


def show() -> None:
    """The whole page."""
    st.title("Guides", anchor=False)
    there = {name: title for name, title in GUIDES.items() if (_FOLDER / f"{name}.md").is_file()}
    if not there:
        st.info("The guides are in the folder docs/ of a checkout, which is not installed here.")
        return
    name = choice("Guide", list(there), GUIDE, "trust", words=there.__getitem__, what="guide")
    # A text of ours; Streamlit shows HTML in it as text.
    st.markdown((_FOLDER / f"{name}.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    show()
