"""The seeds of one row side by side, with their mean and what it may be off by."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev

import pandas as pd
import streamlit as st

from harness.evidence.record import METRICS
from harness.store import Stored, Summary
from leaderboard_app.run.loss import loss_frame
from leaderboard_app.shared.address import NotHereError, require_known
from leaderboard_app.shared.charts import show_chart
from leaderboard_app.shared.cmc import cmc_chart
from leaderboard_app.shared.commands import show_commands
from leaderboard_app.shared.data import row_of, snapshot, stored
from leaderboard_app.shared.links import COMPARE_PAGE, RUN, RUN_PAGE, to_page
from leaderboard_app.shared.names import dataset_words, method_words
from leaderboard_app.shared.ranks import interval_of
from leaderboard_app.shared.text import interval_words, literal, metric_name

_LINKS = 12


def show_group(run_ids: Sequence[str]) -> None:
    """The page of a row of several seeds.

    Raises:
        NotHereError: A run is not in the store, or the runs are not seeds of one recipe.
    """
    known = snapshot().summaries
    for run_id in run_ids:
        require_known("run", run_id, known)
    runs = sorted((known[run_id] for run_id in dict.fromkeys(run_ids)), key=lambda s: s.seed)
    _require_one_row(runs)
    first = runs[0]
    st.subheader(
        f"{literal(method_words(first.method))} on {literal(dataset_words(first.dataset))}, "
        f"{literal(first.protocol)}: {len(runs)} seeds",
        anchor=False,
    )
    st.dataframe(
        _frame(runs),
        hide_index=True,
        placeholder="",
        height="content",
        column_config={
            metric_name(m): st.column_config.NumberColumn(format="%.2f") for m in METRICS
        },
        alt="The seeds side by side, their mean and standard deviation",
    )
    st.caption(_noise_words(runs))
    with st.container(horizontal=True):
        for run in runs[:_LINKS]:
            to_page(RUN_PAGE, f"Open seed {run.seed}", {RUN: run.run_id})
        to_page(COMPARE_PAGE, "Compare the seeds", {RUN: [run.run_id for run in runs[:6]]})
    _show_curves([stored(run.run_id) for run in runs])
    st.markdown("**Make one of them again, and check them:**")
    show_commands(("reproduce", first.run_id), *(("verify", run.run_id) for run in runs[:_LINKS]))


def _require_one_row(runs: Sequence[Summary]) -> None:
    rows = {(r.method, r.recipe_hash, r.code_hash, r.data_hash, r.protocol_hash) for r in runs}
    if len(rows) > 1:
        raise NotHereError(
            "row of runs",
            ",".join(run.run_id for run in runs),
            1,
            "these are not seeds of one recipe on the same data: hold them against each other on "
            "the page Compare",
        )


def _frame(runs: Sequence[Summary]) -> pd.DataFrame:
    """A line for each seed, then their mean and standard deviation."""
    lines: list[dict[str, object]] = [
        {
            "seed": str(run.seed),
            **{metric_name(m): run.metrics[m] for m in METRICS},
            "95 % interval of mAP": interval_words(run.intervals.get("mAP")),
            "trust": str(run.trust),
            "training, s": run.training_seconds,
            "run": run.run_id,
        }
        for run in runs
    ]
    values = {m: [run.metrics[m] for run in runs] for m in METRICS}
    lines.append({"seed": "mean", **{metric_name(m): fmean(v) for m, v in values.items()}})
    if len(runs) > 1:
        lines.append({"seed": "± sd", **{metric_name(m): stdev(v) for m, v in values.items()}})
    return pd.DataFrame(lines)


def _noise_words(runs: Sequence[Summary]) -> str:
    row = row_of([run.run_id for run in runs])
    ends = None if row is None else interval_of(row, "mAP")
    if ends is None:
        return "What the mean may be off by is computed for whole rows of the board."
    return (
        f"The mean's 95 % interval is {interval_words(ends)} points of mAP: it draws identities "
        "and seeds. The standard deviation is of single runs, not of their mean."
    )


def _show_curves(runs: Sequence[Stored]) -> None:
    cmc, losses = st.columns(2, gap="medium")
    with cmc:
        st.markdown("**Cumulative matches (CMC)**")
        curves = {f"seed {r.record.seed}": r.record.cmc for r in runs if r.record.cmc}
        if curves:
            show_chart(cmc_chart(curves), alt="Matched queries by rank, a line for each seed")
        else:
            st.caption("The records have no curves.")
    with losses:
        st.markdown("**Last training loss, term by term**")
        rows = []
        for run in runs:
            frame = loss_frame(run.record.training)
            last = frame[frame["epoch"] == frame["epoch"].max()]
            rows.append(
                {"seed": str(run.record.seed), **dict(zip(last["term"], last["loss"], strict=True))}
            )
        st.dataframe(pd.DataFrame(rows), hide_index=True, alt="The last loss of each seed")
