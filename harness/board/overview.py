"""Methods by protocols of one data set: what stays when a modality is missing or differs."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from harness.board.lines import Line, lines_of
from harness.board.rows import BoardRow, BoardTable
from harness.export import number


class Part(NamedTuple):
    """Protocols whose mean is a number of its own, such as the six missing ones."""

    name: str
    places: tuple[int, ...]
    """Of its protocols among the columns."""


class OverviewLine(NamedTuple):
    """One method."""

    title: str
    rows: tuple[BoardRow | None, ...]
    """In the order of the protocols; None where there is no number."""
    means: tuple[float | None, ...]
    """Of each part, in percent; None where the line lacks one of its protocols."""


class Overview(NamedTuple):
    """The matrix of one data set; numbers of different data, byte by byte, never share one."""

    dataset: str
    data_hash: str
    """Of the runs; empty where there are only claims."""
    metric: str
    protocols: tuple[str, ...]
    parts: tuple[Part, ...]
    lines: tuple[OverviewLine, ...]
    """Best in the first protocol first; those without it after, by their first number."""


def overview(
    tables: Sequence[BoardTable],
    dataset: str,
    groups: Mapping[str, Sequence[str]],
    metric: str = "mAP",
    data_hash: str | None = None,
) -> Overview:
    """The matrix of a data set.

    Args:
        tables: As `board` makes them; a claim stands for the data set's name, whatever the hash.
        dataset: Its label.
        groups: The protocols of each part, by its name, in the order of the columns. One of a
            single protocol, such as full, has no mean.
        metric: Which number.
        data_hash: Of the runs; without it, those of the data with most rows.
    """
    here = [one for one in tables if one.dataset == dataset]
    known = data_hash if data_hash is not None else _usual(here)
    names = list(dict.fromkeys(name for members in groups.values() for name in members))
    chosen = [(name, found) for name in names if (found := _table(here, name, known))]
    columns = tuple(name for name, _ in chosen)
    parts = tuple(
        Part(name, tuple(columns.index(one) for one in members if one in columns))
        for name, members in groups.items()
        if len(members) > 1 and any(one in columns for one in members)
    )
    whole = {name: len(groups[name]) for name in groups}
    lines = [
        OverviewLine(
            line.title, line.rows, tuple(_mean(line, p, whole[p.name], metric) for p in parts)
        )
        for line in lines_of([table for _, table in chosen])
    ]
    lines.sort(key=lambda line: _order(line, metric))
    return Overview(dataset, known, metric, columns, parts, tuple(lines))


def overview_text(found: Overview) -> tuple[list[str], list[list[str]]]:
    """Columns and cells: each part's mean stands after its protocols; italics are not to be had
    in a terminal, so a claim's line says so."""
    after = {part.places[-1]: n for n, part in enumerate(found.parts)}
    columns = ["method", "from"]
    for place, name in enumerate(found.protocols):
        columns.append(name)
        if place in after:
            columns.append(f"mean of {found.parts[after[place]].name}")
    rows = []
    for line in found.lines:
        cells = [line.title, "paper" if _is_claim(line) else "run"]
        for place, row in enumerate(line.rows):
            cells.append(number(None if row is None else row.metrics.get(found.metric)))
            if place in after:
                cells.append(number(line.means[after[place]]))
        rows.append(cells)
    return columns, rows


def _usual(tables: Sequence[BoardTable]) -> str:
    rows: dict[str, int] = {}
    for table in tables:
        if table.data_hash:
            rows[table.data_hash] = rows.get(table.data_hash, 0) + len(table.runs)
    return max(rows, key=lambda one: (rows[one], one), default="")


def _table(tables: Sequence[BoardTable], protocol: str, data_hash: str) -> BoardTable | None:
    """Of one protocol, the table of this data with most runs; else the one of claims alone."""
    named = [one for one in tables if one.protocol == protocol]
    fits = [one for one in named if one.data_hash in (data_hash, "")]
    if fits:
        return max(fits, key=lambda one: (len(one.runs), one.protocol_hash))
    # Runs on other data have no place here; the published numbers beside them do.
    claims = [one._replace(rows=tuple(r for r in one.rows if r.kind == "claim")) for one in named]
    return next((one for one in claims if one.rows), None)


def _mean(line: Line, part: Part, wanted: int, metric: str) -> float | None:
    values = [r.metrics[metric] for n in part.places if (r := line.rows[n]) and metric in r.metrics]
    return statistics.fmean(values) if len(values) == wanted else None


def _order(line: OverviewLine, metric: str) -> tuple[int, float]:
    values = [
        (n, row.metrics[metric]) for n, row in enumerate(line.rows) if row and metric in row.metrics
    ]
    first, value = values[0] if values else (len(line.rows), 0.0)
    return first, -value


def _is_claim(line: OverviewLine) -> bool:
    return next(row for row in line.rows if row is not None).kind == "claim"
