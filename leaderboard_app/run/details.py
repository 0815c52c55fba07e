"""The parts of a record that are read closely: protocol, recipe, environment, cost, evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st
from pydantic import ValidationError

from harness.cli.output import shown_path
from harness.evidence.record import RunRecord
from harness.spec.changes import as_computed
from harness.spec.protocol import BoundProtocol
from harness.store import Stored
from leaderboard_app.shared.text import literal

_COST = {
    "parameters": ("Parameters", "{:,.0f}"),
    "gflops": ("GFLOP for one descriptor", "{:,.3f}"),
    "descriptor": ("Descriptor length", "{:,.0f}"),
    "latency_ms": ("Latency for one descriptor, ms", "{:,.1f}"),
    "throughput": ("Descriptors a second", "{:,.1f}"),
    "peak_memory_mib": ("Peak memory, MiB", "{:,.0f}"),
    "training_seconds": ("Training, seconds", "{:,.0f}"),
}


def show_details(found: Stored) -> None:
    """The tabs at the end of a run's page."""
    record = found.record
    names = ["Protocol", "Recipe", "Environment", "Cost", "Evidence", "Record"]
    protocol, recipe, environment, cost, evidence, raw = st.tabs(names)
    with protocol:
        _show_protocol(record)
    with recipe:
        st.code(in_lines(as_computed(record.recipe)), language="toml", wrap_lines=True)
        st.caption(f"hash {literal(record.recipe_hash)}")
    with environment:
        st.code(in_lines(record.environment), language="toml", wrap_lines=True)
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
        st.code(in_lines(record.protocol), language="toml", wrap_lines=True)
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
        "as sha256sum -c takes them. Rescoring proves the arithmetic from the stored descriptors, "
        "not the descriptors; training again does."
    )


def _show_raw(record: RunRecord) -> None:
    name = "".join(letter for letter in record.run_id if letter.isalnum())
    text = json.dumps(record.model_dump(mode="json"), ensure_ascii=False, indent=1)
    st.download_button(
        "Download the record", text, file_name=f"record-{name}.json", mime="application/json"
    )
    with st.expander("The record as JSON"):
        st.json(text, expanded=1)


def in_lines(data: Mapping[str, Any], prefix: str = "") -> str:
    """Nested data as lines of `key = value`, the way --set takes them."""
    lines = []
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            lines.append(in_lines(value, f"{prefix}{key}."))
        else:
            lines.append(f"{prefix}{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines)
