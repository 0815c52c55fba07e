"""Tables as HTML, for what a data frame on a page cannot show: italics, and words on hover.

Every text goes through a template that escapes it: a record or a claim may hold any characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jinja2 import Environment

from harness.board.overview import GROUPS, Overview, OverviewRow
from leaderboard_app.shared.names import protocol_words
from leaderboard_app.shared.text import interval_words, metric_name

_MEANS = {"missing": "mean of the six", "cross": "mean of the six"}
_HEADS = {
    "full": "all",
    "missing": "modalities missing at test",
    "cross": "one modality finds another",
}

_TABLE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
    """\
<div class="overview" style="overflow-x: auto" tabindex="0" role="region"
 aria-label="{{ label }}">
<table style="border-collapse: collapse; font-size: 0.9rem; white-space: nowrap">
<thead>
<tr><th></th><th></th>
{% for head in heads %}
<th colspan="{{ head.span }}" style="{{ side }} text-align: center">{{ head.words }}</th>
{% endfor %}
</tr>
<tr><th style="{{ cell }} text-align: left">method</th><th style="{{ cell }}">year</th>
{% for column in columns %}
<th style="{{ cell }} text-align: right" title="{{ column.help }}" scope="col">\
{{ column.title }}</th>
{% endfor %}
</tr>
</thead>
<tbody>
{% for row in rows %}
<tr style="{{ 'font-style: italic' if row.claim else '' }}">
<th style="{{ cell }} {{ name }}" scope="row" title="{{ row.detail }}">\
{% if row.link %}<a href="{{ row.link }}" style="color: inherit">{{ row.name }}</a>\
{% else %}{{ row.name }}{% endif %}</th>
<td style="{{ cell }}">{{ row.year }}</td>
{% for value in row.cells %}
<td style="{{ cell }} text-align: right; font-variant-numeric: tabular-nums" \
title="{{ value.help }}">{{ value.text }}</td>
{% endfor %}
</tr>
{% endfor %}
</tbody>
</table>
</div>
"""
)
_CELL = "padding: 0.3rem 0.6rem; border-bottom: 1px solid rgba(128, 128, 128, 0.35);"
_SIDE = "padding: 0.3rem 0.6rem; border-left: 1px solid rgba(128, 128, 128, 0.35);"
# A long name goes on below itself, so that numbers are seen beside it on a phone, too.
_NAME = "text-align: left; font-weight: 600; white-space: normal; min-width: min(42vw, 16rem);"


class _Column(NamedTuple):
    key: str
    title: str
    help: str


def overview_html(
    found: Overview, rows: Sequence[OverviewRow], links: dict[str, str] | None = None
) -> str:
    """An overview as a table: claims in italics, runs upright with their interval on hover.

    Args:
        found: Of one data set.
        rows: Of it, in the order of the table.
        links: Addresses by a row's claim id or key; rows without one are no links.
    """
    groups = {name: _columns(name, found, rows) for name in GROUPS}
    columns = [column for group in groups.values() for column in group]
    return _TABLE.render(
        label=f"{metric_name(found.metric)} of every method on {found.dataset}, by protocol",
        cell=_CELL,
        side=_SIDE,
        name=_NAME,
        heads=[
            {"span": len(group), "words": _HEADS[name]} for name, group in groups.items() if group
        ],
        columns=columns,
        rows=[_line(row, columns, found.metric, links or {}) for row in rows],
    )


def _columns(group: str, found: Overview, rows: Sequence[OverviewRow]) -> list[_Column]:
    """A group's protocols that have a number, then its mean where a row has it."""
    shown = [_Column(p, p, protocol_words(p)) for p in GROUPS[group] if p in found.protocols]
    if any(group in row.means for row in rows):
        about = f"Over {', '.join(GROUPS[group])}, in rows that have all of them."
        shown.append(_Column(group, _MEANS[group], about))
    return shown


def _line(
    row: OverviewRow, columns: Sequence[_Column], metric: str, links: dict[str, str]
) -> dict[str, object]:
    first = next(iter(row.cells.values())).row
    return {
        "claim": row.kind == "claim",
        "name": row.name,
        "detail": row.detail,
        "year": row.year or "",
        "link": links.get(first.key, ""),
        "cells": [_cell(row, column, metric) for column in columns],
    }


def _cell(row: OverviewRow, column: _Column, metric: str) -> dict[str, str]:
    cell = row.cells.get(column.key)
    if cell is None:
        mean = row.means.get(column.key)
        known = mean is not None and column.title != column.key
        return {"text": f"{mean:.1f}" if known else "", "help": ""}
    ends = interval_words(cell.row.intervals.get(metric))
    about = f"95 % interval {ends}" if ends else row.detail
    return {"text": f"{cell.value:.1f}", "help": about}
