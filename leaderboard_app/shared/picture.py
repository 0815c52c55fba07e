"""The picture of a table: each row's number, and what is known of how far it may be off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import altair as alt
import pandas as pd

from harness.board import BoardRow
from leaderboard_app.shared.look import CHANCE_DASH, INK, ONE
from leaderboard_app.shared.text import metric_name

STEP = 22
"""Pixels of a row."""

_LABEL = 230
# One group of ties ends where the shade changes.
_SHADES = (0.17, 0.07)
LEGEND = (
    "Dot and bar: run with its 95 % interval. Hollow diamond: published. Shaded alike: tied. "
    "Dotted: chance."
)
# Told apart on an axis, and not seen: two rows may have one name.
_UNSEEN = "\u200b"


def interval_picture(
    rows: Sequence[BoardRow],
    chance: Mapping[str, float],
    metric: str = "mAP",
    width: int | Literal["container"] = "container",
    ink: str = INK,
    legend: bool = True,
) -> alt.LayerChart | None:
    """The rows from top to bottom in their order; None where none has the metric.

    Args:
        rows: Of one table, with ranks where ties are to be shaded.
        chance: What guessing scores, by metric; a dotted line where it is known.
        metric: Which number; intervals are drawn where the rows have them.
        width: In pixels, or as wide as the place it is in.
        legend: Whether the picture itself says what its marks are.
        ink: The colour of the legend, of what was published and of chance.
    """
    frame = picture_frame(rows, metric)
    if frame.empty:
        return None
    low = min(frame["low"].min(), chance.get(metric, frame["low"].min()))
    scale = alt.Scale(domain=[max(0.0, low - 2), frame["high"].max() + 2], nice=False, zero=False)
    axis = alt.Axis(labelLimit=_LABEL, title=None, ticks=False, domain=False, labelColor=ink)
    row = alt.Y("name:N", sort=None, axis=axis, scale=alt.Scale(domain=list(frame["name"])))
    title = f"{metric_name(metric)}, %"
    number = alt.X("value:Q", scale=scale, title=title)
    base = alt.Chart(frame).encode(y=row)
    told = [
        alt.Tooltip("name:N", title="row"),
        alt.Tooltip("value:Q", title=metric_name(metric), format=".2f"),
        alt.Tooltip("low:Q", title="95 % from", format=".2f"),
        alt.Tooltip("high:Q", title="to", format=".2f"),
        alt.Tooltip("kind:N"),
    ]
    layers = [
        *(
            base.transform_filter(f"datum.tied == {place}")
            .mark_bar(size=STEP, opacity=opacity, color=ONE)
            .encode(x=alt.value(0), x2=alt.value("width"))
            for place, opacity in enumerate(_SHADES, 1)
        ),
        base.transform_filter("datum.kind == 'run'")
        .mark_rule(strokeWidth=3, opacity=0.55, color=ONE)
        .encode(x=alt.X("low:Q", scale=scale, title=title), x2="high:Q"),
        base.transform_filter("datum.kind == 'run'")
        .mark_point(filled=True, shape="circle", size=62, opacity=1, color=ONE)
        .encode(x=number, tooltip=told),
        base.transform_filter("datum.kind == 'published'")
        .mark_point(filled=False, shape="diamond", size=58, strokeWidth=1.6, color=ink)
        .encode(x=number, tooltip=told),
    ]
    if metric in chance:
        line = pd.DataFrame({"x": [chance[metric]], "what": ["chance"]})
        dotted = alt.Chart(line).encode(x=alt.X("x:Q", scale=scale, title=title))
        layers.append(dotted.mark_rule(strokeDash=CHANCE_DASH, color=ink).encode(tooltip="what:N"))
    chart: alt.LayerChart = alt.layer(*layers).properties(width=width, height=alt.Step(STEP))
    if not legend:
        return chart
    words = alt.Title(LEGEND, fontSize=11, fontWeight="normal", anchor="start", color=ink)
    return chart.properties(title=words)


def picture_frame(rows: Sequence[BoardRow], metric: str) -> pd.DataFrame:
    """Columns name (no two alike), value, low, high, kind, tied, of the rows with the metric.

    `tied` is 0 for a row that is tied with no other, else 1 and 2 in turns, group after group.
    """
    shown = [row for row in rows if row.metrics.get(metric) is not None]
    groups = [row.tie_group for row in shown if row.tie_group is not None]
    tied = [group for group in dict.fromkeys(groups) if groups.count(group) > 1]
    shades = {group: 1 + place % len(_SHADES) for place, group in enumerate(tied)}
    lines, names = [], set[str]()
    for row in shown:
        name = row.title
        while name in names:
            name += _UNSEEN
        names.add(name)
        value = row.metrics[metric]
        low, high = row.intervals.get(metric) or (value, value)
        lines.append(
            {
                "name": name,
                "value": value,
                "low": low,
                "high": high,
                "kind": "run" if row.kind == "run" else "published",
                "tied": 0 if row.tie_group is None else shades.get(row.tie_group, 0),
            }
        )
    columns = ["name", "value", "low", "high", "kind", "tied"]
    return pd.DataFrame(lines, columns=columns)


def as_file(chart: alt.LayerChart | alt.Chart, form: Literal["svg", "pdf"]) -> bytes:
    """The chart on white paper, as a file."""
    import vl_convert

    spec = chart.to_dict()
    spec["background"] = "white"
    if form == "pdf":
        return bytes(vl_convert.vegalite_to_pdf(spec))
    return str(vl_convert.vegalite_to_svg(spec)).encode()
