"""One run's record, below the table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import streamlit as st
from pydantic import ValidationError

from harness.cli.output import interval, shown_path
from harness.protocol import BoundProtocol
from harness.record import METRICS, RunRecord
from harness.store import Stored
from leaderboard_app.address import RUN, asked
from leaderboard_app.board_page import DRAWN, drawn
from leaderboard_app.charts import cmc_chart, loss_chart, loss_frame
from leaderboard_app.data import Runs
from leaderboard_app.text import METRIC_NAMES, command, literal, queries_sentence, settings

_COST = {
    "parameters": ("Parameters", "{:,.0f}"),
    "gflops": ("GFLOP for one descriptor", "{:,.3f}"),
    "descriptor": ("Descriptor length", "{:,.0f}"),
    "latency_ms": ("Latency for one descriptor, ms", "{:,.1f}"),
    "peak_memory_mib": ("Peak memory, MiB", "{:,.0f}"),
    "training_seconds": ("Training, seconds", "{:,.0f}"),
}


def show_selected(runs: Runs) -> None:
    """The record of the run that the address names, if any."""
    run_id = asked(RUN)
    if run_id is None:
        return
    st.divider()
    found = runs.stored.get(run_id)
    if found is None:
        st.info(f"There is no run {literal(run_id[:64])} here. Click a row of the table.")
        return
    _show_head(found.record, runs.folder)
    _show_results(found.record)
    _show_details(found)


def _show_head(record: RunRecord, out: Path) -> None:
    st.subheader(f"Run {literal(record.run_id)}", anchor=False)
    recipe = record.recipe.get("name", "")
    st.text(
        f"{record.method}, recipe {recipe}, seed {record.seed}, on {record.dataset_label}, "
        f"protocol {record.protocol_name}, {record.created[:16].replace('T', ' ')} UTC, "
        f"harness {record.harness_version}"
    )
    colour: Literal["gray", "orange"] = "orange" if record.selection == "test" else "gray"
    st.badge(f"selection: {literal(record.selection)}", color=colour)
    st.code(command("show", "run", record.run_id, out=out), language="bash", wrap_lines=True)


def _show_results(record: RunRecord) -> None:
    metrics, cmc, losses = st.columns(3, gap="medium")
    with metrics:
        st.markdown("**Metrics**")
        _show_metrics(record)
    with cmc:
        st.markdown("**Cumulative matches (CMC)**")
        if record.cmc:
            st.altair_chart(cmc_chart(record.cmc), alt="Matched queries by rank")
        else:
            st.caption("The record has no curve.")
    with losses:
        st.markdown("**Training loss**")
        frame = loss_frame(record.training)
        if frame.empty:
            st.caption("The record has no training log.")
        else:
            st.altair_chart(loss_chart(frame), alt="Loss by epoch")


def _show_metrics(record: RunRecord) -> None:
    column = st.column_config
    st.dataframe(
        pd.DataFrame(
            {
                "metric": [METRIC_NAMES.get(m, m) for m in METRICS],
                "%": [record.metrics.get(m) for m in METRICS],
                "interval": [interval(record.intervals.get(m)) for m in METRICS],
                "chance": [record.chance.get(m) for m in METRICS],
            }
        ),
        hide_index=True,
        column_config={
            "%": column.NumberColumn(format="%.2f"),
            "interval": column.TextColumn("95 % interval", alignment="right"),
            "chance": column.NumberColumn(format="%.2f"),
        },
        alt="Metrics of this run",
    )
    words = [queries_sentence(record.queries, record.valid_queries)]
    st.caption(" ".join([*words, DRAWN] if drawn(record) else words))


def _show_details(found: Stored) -> None:
    record = found.record
    names = ["Protocol", "Recipe", "Environment", "Cost", "Evidence", "Record"]
    protocol, recipe, environment, cost, evidence, raw = st.tabs(names)
    with protocol:
        _show_protocol(record)
    with recipe:
        st.code(settings(record.recipe), language="toml", wrap_lines=True)
        st.caption(f"hash {literal(record.recipe_hash)}")
    with environment:
        st.code(settings(record.environment), language="toml", wrap_lines=True)
    with cost:
        _show_cost(record.cost)
    with evidence:
        _show_evidence(found)
    with raw:
        _show_raw(record)


def _show_protocol(record: RunRecord) -> None:
    try:
        sentences = BoundProtocol.model_validate(record.protocol).in_words()
    except ValidationError:
        st.caption("This version of the harness has no words for this protocol; its fields:")
        st.code(settings(record.protocol), language="toml", wrap_lines=True)
    else:
        st.text("\n".join(sentences))
    st.caption(f"hash {literal(record.protocol_hash)}")


def _show_cost(cost: Mapping[str, Any]) -> None:
    rows = {
        label: form.format(cost[key])
        for key, (label, form) in _COST.items()
        if isinstance(cost.get(key), int | float)
    }
    if not rows:
        st.caption("The record has no cost.")
        return
    st.dataframe(
        pd.DataFrame({"cost": rows.keys(), "value": rows.values()}),
        hide_index=True,
        width=400,
        column_config={"value": st.column_config.TextColumn(alignment="right")},
        alt="Cost of this run",
    )


def _show_evidence(found: Stored) -> None:
    lines = [f"{one.sha256}  {one.file}" for one in found.record.evidence.values()]
    st.code("\n".join(lines), language=None, wrap_lines=True)
    st.caption(
        f"SHA-256 and name of the files beside {literal(shown_path(found.path))}, "
        "as sha256sum -c takes them."
    )


def _show_raw(record: RunRecord) -> None:
    name = "".join(letter for letter in record.run_id if letter.isalnum())
    text = json.dumps(record.model_dump(mode="json"), ensure_ascii=False, indent=1)
    st.download_button(
        "Download the record", text, file_name=f"record-{name}.json", mime="application/json"
    )
    with st.expander("The record as JSON"):
        st.json(text, expanded=1)
