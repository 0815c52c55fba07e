"""What came out here where a paper claims something."""

from __future__ import annotations

import streamlit as st

from harness.board import BoardRow, BoardTable
from harness.claims import PublishedClaim
from harness.export import number
from leaderboard_app.shared.commands import show_commands
from leaderboard_app.shared.data import infos, snapshot
from leaderboard_app.shared.links import page_of, to_page
from leaderboard_app.shared.pairs import WORDS, pair_of
from leaderboard_app.shared.ranks import interval_of
from leaderboard_app.shared.text import interval_words, literal


def show_ours(claim: PublishedClaim) -> None:
    """Our runs of a claim's method on its data, each with a verdict, and how to make one."""
    st.markdown("**Run here**")
    found = [(table, row) for table in _tables(claim) for row in table.runs]
    runs = [row for _, row in found if row.method == claim.method_key]
    if claim.method_key not in infos():
        st.caption("This method is not among those that can be run here.")
        return
    if claim.mAP is not None:
        for row in runs:
            _show_run(claim, row)
    if not runs:
        st.caption("Nobody has run it here on the published data under this protocol yet.")
    st.markdown("This makes one, with the data on your disk:")
    words = ["run", "--method", claim.method_key, "--dataset", f"/data/{claim.dataset}"]
    protocol = ["--protocol", claim.protocol] if claim.protocol not in ("", "full") else []
    show_commands((*words, *protocol))


def _tables(claim: PublishedClaim) -> list[BoardTable]:
    names = (claim.dataset, claim.protocol)
    return [t for t in snapshot().tables if claim.protocol and (t.dataset, t.protocol) == names]


def _show_run(claim: PublishedClaim, row: BoardRow) -> None:
    pair = pair_of(claim, row, "mAP", interval_of)
    ends = interval_words(pair.interval)
    official = "its official recipe" if row.track == "official" else "another recipe"
    difference = "" if pair.difference is None else f", {pair.difference:+.2f} from the claim"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"{literal(row.title)}, {official}: mAP {number(pair.ours)}"
            f"{'' if ends is None else f' ({ends})'}{difference}. The claim is "
            f"{WORDS[pair.verdict]}.",
            width="content",
        )
        page, about = page_of(row)
        to_page(page, "Open it", about)
