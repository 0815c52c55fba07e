"""The four figures of a table, before the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import streamlit as st

from harness.board import BoardRow, BoardTable, is_clean, is_second_hand
from harness.claims import PublishedClaim
from harness.export import interval, number
from leaderboard_app.shared.pairs import BELOW, INSIDE, IntervalOf, pairs
from leaderboard_app.shared.text import literal


class Figure(NamedTuple):
    """One number with what it is."""

    title: str
    value: str
    about: str
    """Whose it is, in a few words; may be empty."""
    help: str


def figures(
    table: BoardTable,
    claims: Iterable[PublishedClaim],
    known: Mapping[str, object],
    interval_of: IntervalOf,
) -> list[Figure]:
    """The best clean claim, the best run, how many claims were reproduced, and what is noise."""
    return [
        _best_claim(table),
        _best_run(table, interval_of),
        _reproduced(table, claims, known, interval_of),
        _noise(table),
    ]


def show_figures(found: Iterable[Figure]) -> None:
    """Side by side, two in a row on a phone where they are short."""
    with st.container(horizontal=True, gap="medium", key="figures"):
        for figure in found:
            with st.container(width="content", gap=None):
                st.caption(figure.title, help=figure.help)
                about = f" :gray[:small[{literal(figure.about)}]]" if figure.about else ""
                st.markdown(f"**{literal(figure.value)}**{about}")


def _best_claim(table: BoardTable) -> Figure:
    title = "Best clean claim"
    help_ = (
        "The highest published number that is its authors' own and of which nobody says that the "
        "test set was used: no epoch picked on it, no camera, text or mask of its images."
    )
    found = [
        row
        for row in table.rows
        if row.kind == "claim"
        and "mAP" in row.metrics
        and is_clean(row)
        and not is_second_hand(row)
    ]
    if not found:
        return Figure(title, "none", "", help_)
    best = max(found, key=lambda row: row.metrics["mAP"])
    return Figure(title, number(best.metrics["mAP"]), best.title, f"{help_} {best.source}.")


def _best_run(table: BoardTable, interval_of: IntervalOf) -> Figure:
    title, runs = "Best run here", table.runs
    help_ = (
        "With its 95 % interval, which resamples identities and, where there are several, seeds."
    )
    if not runs:
        return Figure(title, "none yet", "", help_)
    best: BoardRow = max(runs, key=lambda row: row.metrics["mAP"])
    ends = interval_of(best, "mAP")
    value = number(best.metrics["mAP"]) + ("" if ends is None else f" ({interval(ends)})")
    return Figure(title, value, best.title, help_)


def _reproduced(
    table: BoardTable,
    claims: Iterable[PublishedClaim],
    known: Mapping[str, object],
    interval_of: IntervalOf,
) -> Figure:
    here = [c for c in claims if (c.dataset, c.protocol) == (table.dataset, table.protocol)]
    found = pairs(here, [table], known, "mAP", interval_of)
    # Other official recipes are a paper's ablations and settings, not what it claims.
    answered = [(p, p.row) for p in found if p.row is not None]
    official = [p for p, row in answered if row.track == "official" and not row.variant]
    reached = sum(p.verdict in (INSIDE, BELOW) for p in official)
    return Figure(
        "Claims reproduced here",
        f"{reached} of {len(found)}",
        "",
        "Of the claims of methods that can be run here: how many an official recipe's run has "
        f"reached, that is the claim lies in its interval or below it. {len(official)} were tried.",
    )


def _noise(table: BoardTable) -> Figure:
    known = table.resolution is not None
    return Figure(
        "Noise: differences below",
        f"{table.resolution:.1f} points" if known else "not known yet",
        "",
        "Of mAP between two rows: the median over pairs of the rows run here. "
        + ("" if known else "Two rows of runs are needed to say it."),
    )
