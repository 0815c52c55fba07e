"""A run's numbers by identity, camera, modality and corruption."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from harness.base.errors import HarnessError
from harness.evidence.evaluations import Evaluated, read
from harness.evidence.record import RunRecord
from harness.store import Stored
from leaderboard_app.run.frames import by_group, modality_matrix, modality_order, robustness
from leaderboard_app.shared.charts import show_chart
from leaderboard_app.shared.commands import show_commands
from leaderboard_app.shared.data import evidence_of, plugins
from leaderboard_app.shared.look import CHART_HEIGHT, IDENTITIES, ROW_PIXELS

_CELL, _LINE = 62, 20


def show_breakdown(found: Stored) -> None:
    """The charts below a run's metrics."""
    record = found.record
    identities, cameras = st.columns([3, 2], gap="medium")
    with identities:
        st.markdown("**By identity**, worst first")
        if record.per_query.pids is None:
            st.caption("This record is older than the list of its queries' identities.")
        else:
            _show_groups(by_group(record.per_query, record.per_query.pids), "identity")
    with cameras:
        st.markdown("**By camera of the query**")
        _show_cameras(record)
    results = _results(found)
    matrix, curves = st.columns(2, gap="medium")
    with matrix:
        st.markdown("**Modalities of query and gallery**, mAP")
        _show_matrix(results, record)
    with curves:
        st.markdown("**Robustness**, mAP by severity of corruption")
        _show_curves(results, record)


def _show_cameras(record: RunRecord) -> None:
    try:
        camids = evidence_of(record.run_id).query.labels.camids
    except HarnessError:
        st.caption("The stored descriptors, which know the cameras, are not on this machine.")
        return
    if camids is None or len(camids) != len(record.per_query.ap):
        st.caption("The data set has no cameras.")
        return
    frame = by_group(record.per_query, camids)
    _show_groups(frame.assign(group=frame["group"] + 1), "camera")


def _show_groups(frame: pd.DataFrame, what: str) -> None:
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="",
        height=min(len(frame) + 1, 8) * ROW_PIXELS + 2,
        column_config={
            "group": column.NumberColumn(what, format="%d"),
            "mAP": column.ProgressColumn(format="%.1f", min_value=0, max_value=100),
            "R1": column.NumberColumn("Rank-1", format="%.1f"),
        },
        alt=f"Numbers by {what}",
    )


def _results(found: Stored) -> list[Evaluated]:
    """Its own protocol's numbers and those kept by `harness evaluate --run`."""
    record = found.record
    weights = record.evidence.get("weights")
    own = Evaluated.model_construct(
        protocol=record.protocol_name,
        metrics=record.metrics,
        chance=record.chance,
    )
    if weights is None:
        return [own]
    kept = read(found.path.parent, weights.sha256)
    return [
        own,
        *(e for e in kept if e.data_hash == record.data_hash and e.protocol != own.protocol),
    ]


def _show_matrix(results: list[Evaluated], record: RunRecord) -> None:
    frame = modality_matrix(results, plugins().protocols, "mAP")
    if len(frame) < 2:
        st.caption("Scored under one protocol only. This fills the matrix, without training:")
        groups = ("missing", "cross", "mismatched")
        asked = [word for group in groups for word in ("--protocol", group)]
        show_commands(("evaluate", "--run", record.run_id, *asked))
        return
    order = modality_order([*frame["query"], *frame["gallery"]])
    base = alt.Chart(frame).encode(
        x=alt.X(
            "gallery:N", sort=order, title="gallery", axis=alt.Axis(orient="top", labelAngle=-30)
        ),
        y=alt.Y("query:N", sort=order, title="query"),
        tooltip=[
            "protocol:N",
            alt.Tooltip("value:Q", title="mAP", format=".2f"),
            alt.Tooltip("chance:Q", format=".2f"),
        ],
    )
    # Dark cells take light digits.
    middle = float(frame["value"].min() + frame["value"].max()) / 2
    digits = (
        alt.when(alt.datum.value > middle).then(alt.value("white")).otherwise(alt.value("#1f2937"))
    )
    chart = base.mark_rect().encode(
        color=alt.Color("value:Q", title="mAP", scale=alt.Scale(scheme="blues"), legend=None)
    ) + base.mark_text(fontSize=12).encode(text=alt.Text("value:Q", format=".1f"), color=digits)
    show_chart(
        chart.properties(height=_CELL * frame["query"].nunique() // 2 + 120),
        alt="mAP by the modalities of query and gallery",
    )
    st.caption(
        f"Empty: not scored. What the method does with an absent modality: {record.missing_policy}."
    )


def _show_curves(results: list[Evaluated], record: RunRecord) -> None:
    frame = robustness(results, plugins().protocols, "mAP")
    if frame.empty:
        st.caption("Not scored on corrupted images yet. This does it, without training:")
        show_commands(("evaluate", "--run", record.run_id, "--protocol", "corrupt-each"))
        return
    kinds = sorted(frame["kind"].unique())
    legend = alt.Legend(
        orient="bottom", columns=2, symbolLimit=0, symbolType="stroke", symbolSize=200, rowPadding=1
    )
    pick = alt.selection_point(fields=["kind"], bind="legend")
    chart = (
        alt.Chart(frame)
        .mark_line(point=True)
        .encode(
            x=alt.X(
                "severity:Q", axis=alt.Axis(tickMinStep=1, format="d"), title="severity (0: clean)"
            ),
            y=alt.Y("value:Q", title="mAP, %", scale=alt.Scale(zero=True)),
            color=alt.Color("kind:N", title=None, legend=legend, scale=_scale(kinds, IDENTITIES)),
            # Colours come round again; dashes tell the second round from the first.
            strokeDash=alt.StrokeDash(
                "kind:N",
                title=None,
                legend=legend,
                scale=_scale(kinds, [[1, 0]] * len(IDENTITIES) + [[4, 3]] * len(IDENTITIES)),
            ),
            opacity=alt.when(pick).then(alt.value(1)).otherwise(alt.value(0.15)),
            tooltip=["kind:N", "severity:Q", alt.Tooltip("value:Q", title="mAP", format=".2f")],
        )
        .add_params(pick)
    )
    height = CHART_HEIGHT + 100 + _LINE * (len(kinds) // 2)
    show_chart(chart.properties(height=height), alt="mAP by severity")


def _scale(names: list[str], looks: list[Any]) -> alt.Scale:
    """One look for each name, from the first again when they run out."""
    return alt.Scale(domain=names, range=[looks[i % len(looks)] for i in range(len(names))])
