"""Which numbers of a table are bold: those that are not told apart from the best."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from harness.board.ranking import comparable, comparisons
from harness.board.rows import BoardRow, BoardTable, PerQuery
from harness.evidence.record import METRICS
from harness.export import Mark
from harness.stats.noise import noise
from harness.stats.paired import between, holm

Marks = dict[tuple[str, str], Mark]
"""By the row's key and the metric."""


def marks_of(
    table: BoardTable,
    per_query: PerQuery,
    metrics: Iterable[str] = METRICS,
    rows: Sequence[BoardRow] | None = None,
) -> Marks:
    """`best` for rows not told apart from the best, `second` for the best of the others and those.

    Only rows whose queries can be compared are marked (`rank_table`): a published number has no
    interval, and takes nothing from a run. Where all of them are alike, nothing is marked, since
    nothing is better.

    Args:
        table: Their table.
        per_query: As `Store.per_query`.
        metrics: Each is compared by its own values.
        rows: Of the table, those that are shown; by default all.
    """
    shown = table if rows is None else table._replace(rows=tuple(rows))
    found: Marks = {}
    for metric in metrics:
        compared, ranking = comparisons(shown, per_query, metric)
        if ranking is None or max(ranking.groups) == 1:
            continue
        names: dict[int, Mark] = {1: "best", 2: "second"}
        found |= {
            (row.key, metric): names[group]
            for (row, _), group in zip(compared, ranking.groups, strict=True)
            if group in names
        }
    return found


def against(
    table: BoardTable, base: BoardRow, per_query: PerQuery, metrics: Iterable[str] = METRICS
) -> dict[tuple[str, str], float]:
    """p of each row's difference from one of them, Holm's over the rows, metric by metric.

    Args:
        table: With the rows that are held against it.
        base: A row of the table; it has no p itself.
        per_query: As `Store.per_query`.
        metrics: Each is compared by its own values.
    """
    found: dict[tuple[str, str], float] = {}
    for metric in metrics:
        compared, pids = comparable(table, per_query, metric)
        keys = [row.key for row, _ in compared]
        if base.key not in keys:
            continue
        drawn, own = noise([values for _, values in compared], pids), keys.index(base.key)
        others = [n for n in range(len(keys)) if n != own]
        ps = holm([between(drawn, n, own).p for n in others])
        known = zip(others, ps, strict=True)
        found |= {(keys[n], metric): p for n, p in known if not math.isnan(p)}
    return found
