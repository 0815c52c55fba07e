"""The rows of one table compared with each other: ranks, ties, intervals and resolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.board.rows import BoardRow, BoardTable, PerQuery
from harness.board.values import metric_values
from harness.stats import Floats, Ranking, mean_intervals, rank_groups, resolution
from harness.store import PerQueryValues

MOST_RANKED = 200
"""Only so many rows of a table, the best ones, are compared with each other."""

Interval = tuple[float, float]

# Fewer resamples where there are many pairs, so that a table takes a second or two.
_MOST_DIFFERENCES = 20_000_000
_MOST_RESAMPLES, _FEWEST_RESAMPLES = 10_000, 1_000


def rank_table(table: BoardTable, per_query: PerQuery, metric: str = "mAP") -> BoardTable:
    """The table with ranks, tie groups and resolution by `metric`, and intervals of seeds' means.

    The comparisons resample identities and, in rows of several seeds, seeds (`harness.stats`).
    Rows that cannot be compared keep None: claims, runs whose record lacks the queries'
    identities, runs whose queries are not those of the table's first row, and rows after the
    `MOST_RANKED` best.
    """
    compared, pids = comparable(table, per_query, metric)
    ranking = _ranking(compared, pids)
    if ranking is None:
        return table
    fineness = resolution(ranking)
    ranked = {
        row.key: row._replace(rank=ranking.intervals[n], tie_group=ranking.groups[n])
        for n, (row, _) in enumerate(compared)
    }
    several = [(row, v) for row, v in compared if len(row.run_ids) > 1]
    if several:
        ends = mean_intervals([v for _, v in several], pids)
        for (row, _), interval in zip(several, ends, strict=True):
            intervals = {**row.intervals, metric: _within(interval)}
            ranked[row.key] = ranked[row.key]._replace(intervals=intervals)
    return table._replace(
        resolution=fineness.smallest if fineness else None,
        rows=tuple(ranked.get(row.key, row) for row in table.rows),
    )


def comparisons(
    table: BoardTable, per_query: PerQuery, metric: str = "mAP"
) -> tuple[list[tuple[BoardRow, Floats]], Ranking | None]:
    """The rows that can be compared, and what comparing every two of them says."""
    compared, pids = comparable(table, per_query, metric)
    return compared, _ranking(compared, pids)


def _ranking(compared: Sequence[tuple[BoardRow, Floats]], pids: tuple[int, ...]) -> Ranking | None:
    values = [v for _, v in compared]
    if not values:
        return None
    pairs = max(1, len(values) * (len(values) - 1) // 2)
    resamples = max(_FEWEST_RESAMPLES, min(_MOST_RESAMPLES, _MOST_DIFFERENCES // pairs))
    return rank_groups(values, pids, resamples)


def row_interval(row: BoardRow, per_query: PerQuery, metric: str = "mAP") -> Interval | None:
    """The interval that `rank_table` gives a row, without comparing it with any other.

    None where nothing can be resampled: see `rank_table`.
    """
    if len(row.run_ids) == 1:
        return row.intervals.get(metric)
    found = per_query(row.outcome_ids)
    compared = _comparable([row], found, metric)
    if not compared:
        return None
    return _within(mean_intervals([compared[0][1]], found[row.outcome_ids[0]].pids or ())[0])


def _within(interval: Interval | None) -> Interval | None:
    return None if interval is None else (max(0.0, interval[0]), min(100.0, interval[1]))


def comparable(
    table: BoardTable, per_query: PerQuery, metric: str = "mAP"
) -> tuple[list[tuple[BoardRow, Floats]], tuple[int, ...]]:
    """The rows that can be compared, with their (k, q) values, and the identity of each query."""
    rows = table.runs[:MOST_RANKED]
    found = per_query([run_id for row in rows for run_id in row.outcome_ids])
    compared = _comparable(rows, found, metric)
    return compared, (found[compared[0][0].outcome_ids[0]].pids or ()) if compared else ()


def _comparable(
    rows: Sequence[BoardRow], found: Mapping[str, PerQueryValues], metric: str
) -> list[tuple[BoardRow, Floats]]:
    """Rows with their (k, q) values; those on other queries than the first row are left out."""
    kept: list[tuple[BoardRow, Floats]] = []
    first: tuple[object, ...] | None = None
    for row in rows:
        runs = [found.get(run_id) for run_id in row.outcome_ids]
        values = [None if run is None else metric_values(run, metric) for run in runs]
        if any(run is None or run.pids is None for run in runs) or any(v is None for v in values):
            continue
        # A record from elsewhere may say anything; what it says must not spoil the others' ranks.
        shapes = {len(run.names) for run in runs if run} | {len(v) for v in values if v is not None}
        if len(shapes) != 1 or any(np.isinf(v).any() for v in values if v is not None):
            continue
        asked = {
            (run.names, run.pids, tuple(np.isnan(v)))
            for run, v in zip(runs, values, strict=True)
            if run is not None and v is not None
        }
        first = first or next(iter(asked))
        if asked == {first}:
            kept.append((row, np.stack([v for v in values if v is not None])))
    return kept
