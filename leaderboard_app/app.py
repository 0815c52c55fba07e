"""The page that `harness leaderboard` opens: streamlit run app.py -- OUT_FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

from harness.errors import HarnessError
from leaderboard_app.board_page import show_board
from leaderboard_app.data import load
from leaderboard_app.run_panel import show_selected
from leaderboard_app.states import show_empty, show_error
from leaderboard_app.text import literal


def main() -> None:
    """Draw the page once; Streamlit calls this again at every click."""
    st.set_page_config(page_title="Leaderboard", layout="wide")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs")
    st.title("Leaderboard", anchor=False)
    st.caption(f"Multi-modal re-identification, RGB, NI and TI. Runs in {literal(str(folder))}.")
    try:
        runs = load(folder)
    except HarnessError as error:
        show_error(error)
        return
    if not runs.tables:
        show_empty(folder)
        return
    show_board(runs)
    show_selected(runs)


if __name__ == "__main__":
    main()
