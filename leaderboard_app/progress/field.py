"""The published numbers of one data set and protocol over the years and against their cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from harness.board import BoardRow
from leaderboard_app.shared.rows import kind_of, millions, said

COLUMNS = [
    "method",
    "year",
    "value",
    "kind",
    "backbone",
    "pretraining",
    "source",
    "parameters",
    "gflops",
    "doubtful",
    "key",
]
_SECOND_HAND = "second-hand"


def frame(rows: Iterable[BoardRow], metric: str) -> pd.DataFrame:
    """One line for each row of a table that has the metric."""
    every = list(rows)
    first_hand = {row.conflict for row in every if _SECOND_HAND not in row.tags}
    found = [
        {
            "method": row.title or row.method,
            "year": row.year,
            "value": row.metrics.get(metric),
            "kind": kind_of(row),
            "backbone": said(row.backbone),
            "pretraining": said(row.pretraining),
            "source": row.source,
            "parameters": millions(row),
            "gflops": row.gflops,
            # Another paper's number, where the method's own paper says something else.
            "doubtful": row.conflict in first_hand - {""} and _SECOND_HAND in row.tags,
            "key": row.key,
        }
        for row in every
    ]
    out = pd.DataFrame(found, columns=COLUMNS)
    return out[out["value"].notna()].reset_index(drop=True)


def frontier(years: Sequence[float], values: Sequence[float]) -> list[int]:
    """Positions of the points that beat every earlier year, in the order of years.

    Of the points of one year only the best can be on it.
    """
    order = sorted(range(len(years)), key=lambda i: (years[i], -values[i]))
    best = float("-inf")
    kept = []
    for i in order:
        if values[i] > best:
            best = values[i]
            kept.append(i)
    return kept


def pareto(costs: Sequence[float], values: Sequence[float]) -> list[int]:
    """Positions of the points that no other point beats in both cost and value, by cost."""
    return frontier(costs, values)
