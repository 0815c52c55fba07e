"""The newest runs of this store, on the first screen."""

from __future__ import annotations

from itertools import islice

import streamlit as st

from harness.board import BoardTable
from leaderboard_app.shared.data import Snapshot
from leaderboard_app.shared.links import BOARD_PAGE, DATASET, PROTOCOL, RUN, RUN_PAGE, to_page
from leaderboard_app.shared.names import method_words
from leaderboard_app.shared.text import literal

_SHOWN = 3


def show_yours(state: Snapshot, table: BoardTable) -> None:
    """A strip of links, one of them to the runs' own board; nothing where the store is empty."""
    if not state.summaries:
        return
    count = len(state.summaries)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**Your runs:** {count}", width="content")
        newest = list(islice(reversed(state.summaries.values()), _SHOWN))
        for run in newest:
            name, found = literal(method_words(run.method)), run.metrics["mAP"]
            to_page(RUN_PAGE, f"{name}, seed {run.seed}: mAP {found:.2f}", {RUN: run.run_id})
        if (newest[0].data_hash, newest[0].protocol_hash) != (table.data_hash, table.protocol_hash):
            about = {DATASET: newest[0].dataset, PROTOCOL: newest[0].protocol}
            to_page(BOARD_PAGE, "Their board", about)
