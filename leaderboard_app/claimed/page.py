"""What papers claim, what came out here, and whether the difference is more than noise."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from harness.export import interval
from leaderboard_app.shared.address import switch
from leaderboard_app.shared.chosen import chosen_metric
from leaderboard_app.shared.commands import show_commands
from leaderboard_app.shared.data import infos, snapshot
from leaderboard_app.shared.pairs import WORDS, Pair, pairs
from leaderboard_app.shared.ranks import interval_of

ALL = "all"


def show() -> None:
    """The whole page."""
    st.title("Claimed and reproduced", anchor=False)
    state = snapshot()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = chosen_metric()
        everything = switch("Also what nobody ran here", ALL)
    claimed = {(c.dataset, c.protocol) for c in state.claims if c.protocol}
    tables = [t for t in state.tables if t.runs and (t.dataset, t.protocol) in claimed]
    found = pairs(state.claims, tables, infos(), metric, interval_of)
    run = [p for p in found if p.row is not None]
    if not run:
        _show_none(len(found))
    shown = found if everything else run
    if shown:
        _show(shown)
    st.caption(
        f"{len(run)} of {len(found)} claims of the methods that are installed here were run on the "
        "published data under the claimed protocol. A claim is one number without an interval: "
        "which epoch it is from and how many seeds were tried is often unsaid. Numbers from other "
        "data, such as drawn figures, are never set against a claim."
    )


def _show_none(claims: int) -> None:
    st.info(f"None of {claims} claims of installed methods has a run here on its own data yet.")
    st.markdown("With RGBNT201 on your disk, this makes the first:")
    show_commands(("run", "--method", "ieee", "--dataset", "/data/RGBNT201"))


def _show(shown: list[Pair]) -> None:
    column = st.column_config
    st.dataframe(
        pd.DataFrame([_line(pair) for pair in shown]),
        hide_index=True,
        placeholder="",
        column_config={
            "method": column.TextColumn(pinned=True, width=110),
            "claimed": column.NumberColumn(format="%.2f", width=80),
            "here": column.NumberColumn(format="%.2f", width=80),
            "difference": column.NumberColumn(format="%+.2f", width=90),
            "interval": column.TextColumn("95 % interval here", width=150),
        },
        alt="Claims beside runs",
    )


def _line(pair: Pair) -> dict[str, object]:
    row = pair.row
    return {
        "method": pair.claim.method,
        "data set": pair.claim.dataset,
        "protocol": pair.claim.protocol,
        "claimed": getattr(pair.claim, pair.metric),
        "here": pair.ours,
        "difference": pair.difference,
        "interval": None if pair.interval is None else interval(pair.interval),
        "the claim is": WORDS[pair.verdict],
        "seeds": None if row is None else ", ".join(map(str, row.seeds)),
        "recipe": None if row is None else f"{row.recipe} ({row.track})",
        "trust": None if row is None else str(row.trust),
        "source": pair.claim.source,
    }


if __name__ == "__main__":
    show()
