"""The tables: one data set and protocol at a time, a row for each run."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from harness.board import BoardTable, Row
from harness.cli.output import interval
from harness.record import METRICS, RunRecord
from leaderboard_app.address import DATASET, PROTOCOL, RUN, asked, choice, select_run
from leaderboard_app.data import Runs
from leaderboard_app.text import chance_sentence, literal, queries_sentence

DRAWN = "Drawn figures: these numbers show that a method works, not how well."
SELECTION_COLOURS = {"last": "gray", "validation": "blue", "test": "orange"}

_ROWS_BEFORE_SCROLLING = 25
_ROW_PIXELS = 35


def show_board(runs: Runs) -> None:
    """The filters and the tables they leave."""
    tables = _filtered(runs)
    for table in tables:
        _show_table(table, runs)
    if len(tables) > 1:
        st.caption("These tables differ in data or protocol hash: their numbers do not compare.")
    st.caption(
        "Metrics in percent; intervals resample identities. Where intervals overlap, the order "
        "may be chance. Click a row to see its record."
    )


def drawn(record: RunRecord) -> bool:
    """Whether the data are drawn figures, not people."""
    return record.dataset.get("made_like") is not None


def _filtered(runs: Runs) -> list[BoardTable]:
    """The tables of the chosen data set and protocol: more than one when hashes differ."""
    selected = runs.stored.get(asked(RUN) or "")
    record = selected.record if selected else None
    left, right, _ = st.columns([1, 1, 2])
    with left:
        datasets = sorted({t.dataset for t in runs.tables})
        dataset = choice("Data set", datasets, DATASET, record.dataset_label if record else None)
    with right:
        protocols = sorted({t.protocol for t in runs.tables if t.dataset == dataset})
        protocol = choice("Protocol", protocols, PROTOCOL, record.protocol_name if record else None)
    return [t for t in runs.tables if (t.dataset, t.protocol) == (dataset, protocol)]


def _show_table(table: BoardTable, runs: Runs) -> None:
    st.subheader(literal(table.title), anchor=False)
    run_ids = [row.run_id for row in table.rows]
    key = f"table-{table.data_hash}-{table.protocol_hash}"
    chosen = asked(RUN)
    rows = [run_ids.index(chosen)] if chosen in run_ids else []
    st.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    tall = len(run_ids) > _ROWS_BEFORE_SCROLLING
    st.dataframe(
        _frame(table.rows),
        key=key,
        hide_index=True,
        height=_ROW_PIXELS * (_ROWS_BEFORE_SCROLLING + 1) if tall else "content",
        column_config=_columns(table.rows),
        on_select=partial(_on_select, key, run_ids),
        # A cell too, so that a click anywhere on a row selects it.
        selection_mode=["single-row", "single-cell"],
        alt=f"Runs on {table.title}",
    )
    words = [
        chance_sentence(table.chance),
        queries_sentence(table.queries, table.valid_queries),
        *([DRAWN] if drawn(runs.stored[run_ids[0]].record) else []),
    ]
    st.caption(" ".join(words))


def _on_select(key: str, run_ids: list[str]) -> None:
    selection = st.session_state[key]["selection"]
    rows = [row for row, _ in selection["cells"]] or selection["rows"]
    select_run(run_ids[rows[0]] if rows else None)


def _frame(rows: tuple[Row, ...]) -> pd.DataFrame:
    best = [row.metrics["mAP"] for row in rows]
    return pd.DataFrame(
        [
            {
                # Equal values share a place.
                "place": best.index(row.metrics["mAP"]) + 1,
                "method": row.method,
                "recipe": row.recipe,
                "seed": row.seed,
                "mAP": row.metrics["mAP"],
                "interval": interval(row.intervals.get("mAP")),
                **{metric: row.metrics.get(metric) for metric in METRICS[1:]},
                "selection": [row.selection],
                "run": row.run_id,
                "created": row.created[:16].replace("T", " "),
            }
            for row in rows
        ]
    )


def _columns(rows: tuple[Row, ...]) -> dict[str, Any]:
    column = st.column_config
    rules = sorted({row.selection for row in rows})
    return {
        "place": column.NumberColumn(format="%d", width=52, pinned=True),
        "method": column.TextColumn(width=110),
        "recipe": column.TextColumn(width=85),
        "seed": column.NumberColumn(format="%d", width=52),
        **{metric: column.NumberColumn(format="%.2f", width=64) for metric in METRICS},
        "interval": column.TextColumn("95 % interval", alignment="right", width=112),
        "selection": column.MultiselectColumn(
            options=rules, color=[SELECTION_COLOURS.get(rule, "gray") for rule in rules], width=80
        ),
        "run": column.TextColumn(width=136),
        "created": column.TextColumn("created (UTC)", width=125),
    }
