"""One run whole: its record, numbers taken apart, cost, evidence, and how to make it again."""

from __future__ import annotations

from typing import Any

import streamlit as st

from harness.evidence.record import RunRecord
from harness.store import Stored
from leaderboard_app.run.breakdown import show_breakdown
from leaderboard_app.run.details import show_details
from leaderboard_app.run.group import show_group
from leaderboard_app.run.loss import loss_charts, loss_frame
from leaderboard_app.run.metrics import show_metrics
from leaderboard_app.shared.address import asked
from leaderboard_app.shared.charts import show_chart
from leaderboard_app.shared.chosen import chosen_run
from leaderboard_app.shared.cmc import cmc_chart
from leaderboard_app.shared.commands import show_commands
from leaderboard_app.shared.data import all_runs, run_choices, stored
from leaderboard_app.shared.links import QUERY_PAGE, RUN, to_page
from leaderboard_app.shared.look import SELECTION_COLOURS, TRUST_COLOURS
from leaderboard_app.shared.names import dataset_words, method_words
from leaderboard_app.shared.states import show_nothing
from leaderboard_app.shared.text import badge, literal, queries_sentence

_DRAWN = "Drawn figures: these numbers show that a method works, not how well."


def show() -> None:
    """The whole page."""
    st.title("Run", anchor=False)
    known = all_runs()
    if not known:
        show_nothing("No runs yet", "run", "--method", "ieee")
        return
    wanted = asked(RUN) or ""
    if "," in wanted:
        show_group(wanted.split(","))
        return
    found = stored(chosen_run(known))
    _show_head(found)
    _show_results(found.record)
    show_breakdown(found)
    show_details(found)


def _drawn(record: RunRecord) -> bool:
    """Whether the data are drawn figures, not people."""
    return record.dataset.get("made_like") is not None


def _show_head(found: Stored) -> None:
    record = found.record
    st.subheader(
        f"{literal(method_words(record.method))} on "
        f"{literal(dataset_words(record.dataset_label))}, {literal(record.protocol_name)}",
        anchor=False,
    )
    with st.container(horizontal=True, gap="small"):
        st.badge(f"trust: {found.trust}", color=TRUST_COLOURS[str(found.trust)])
        colour: Any = SELECTION_COLOURS.get(record.selection, "gray")
        st.badge(f"selection: {badge(record.selection)}", color=colour)
        st.badge(f"seed {record.seed}", color="gray")
        st.badge(f"recipe {badge(str(record.recipe.get('name', '')))}", color="gray")
    st.text(
        f"Run {record.run_id}, {record.created[:16].replace('T', ' ')} UTC, "
        f"harness {record.harness_version}"
    )
    st.markdown("**Make it again, and check it:**")
    show_commands(("reproduce", record.run_id), ("verify", record.run_id))
    if record.run_id in run_choices():
        to_page(QUERY_PAGE, "See its answers, picture by picture", {RUN: record.run_id})


def _show_results(record: RunRecord) -> None:
    metrics, cmc, losses = st.columns(3, gap="medium")
    with metrics:
        st.markdown("**Metrics**")
        _show_metrics(record)
    with cmc:
        st.markdown("**Cumulative matches (CMC)**")
        if record.cmc:
            show_chart(cmc_chart({"": record.cmc}), alt="Matched queries by rank")
        else:
            st.caption("The record has no curve.")
    with losses:
        st.markdown("**Training loss**")
        frame = loss_frame(record.training)
        if frame.empty:
            st.caption("The record has no training log.")
        else:
            # A row of small charts that goes on below where the page is narrow.
            with st.container(horizontal=True, gap="small"):
                for term, chart in loss_charts(frame).items():
                    show_chart(chart, alt=f"Loss {term} by epoch", width="content")


def _show_metrics(record: RunRecord) -> None:
    show_metrics(record, "Metrics of this run")
    words = [queries_sentence(record.queries, record.valid_queries)]
    st.caption(" ".join([*words, _DRAWN] if _drawn(record) else words))


if __name__ == "__main__":
    show()
