"""The published numbers of one data set and protocol over the years and against their cost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import pandas as pd

from harness.board import BoardRow, is_clean, is_second_hand
from leaderboard_app.shared.rows import kind_of, millions, said

COLUMNS = [
    "method",
    "name",
    "year",
    "value",
    "kind",
    "backbone",
    "pretraining",
    "source",
    "parameters",
    "gflops",
    "doubtful",
    "second_hand",
    "clean",
    "key",
]
LABEL_PIXELS = 15.0
"""How far apart two names must be to be read."""


def frame(rows: Iterable[BoardRow], metric: str, variants: Collection[str] = ()) -> pd.DataFrame:
    """One line for each row of a table that has the metric.

    Args:
        rows: Of one table.
        metric: Which number.
        variants: Keys of claims that are an ablation, a probe or a re-run and not the method.

    Returns:
        Columns `COLUMNS`; `clean` are the rows of a method itself of which nobody says that they
        used the test set.
    """
    every = list(rows)
    first_hand = {row.conflict for row in every if not is_second_hand(row)}
    found = [
        {
            "method": row.title or row.method,
            # Beside a point there is no room for what tells rows of one method apart.
            "name": row.family or row.title or row.method,
            "year": row.year,
            "value": row.metrics.get(metric),
            "kind": kind_of(row),
            "backbone": said(row.backbone),
            "pretraining": said(row.pretraining),
            "source": row.source,
            "parameters": millions(row),
            "gflops": row.gflops,
            # Another paper's number, where the method's own paper says something else.
            "doubtful": row.conflict in first_hand - {""} and is_second_hand(row),
            "second_hand": is_second_hand(row),
            "clean": is_clean(row) and row.key not in variants,
            "key": row.key,
        }
        for row in every
    ]
    out = pd.DataFrame(found, columns=COLUMNS)
    return out[out["value"].notna()].reset_index(drop=True)


def named(
    x: Sequence[float], values: Sequence[float], first: Collection[int], height: float
) -> list[int]:
    """Positions of the points whose names fit beside them without covering each other.

    Args:
        x: Where the points stand from left to right; names of one place are kept apart.
        values: Where they stand from bottom to top.
        first: Positions that come before the others, such as those of a frontier.
        height: Of the picture, in pixels.
    """
    if not len(values):
        return []
    scale = height / max(max(values) - min(values), 1e-9)
    taken: dict[float, list[float]] = {}
    kept = []
    for i in sorted(range(len(values)), key=lambda i: (i not in first, -values[i])):
        near = taken.setdefault(x[i], [])
        if all(abs(values[i] - other) * scale >= LABEL_PIXELS for other in near):
            near.append(values[i])
            kept.append(i)
    return kept


def frontier(years: Sequence[float], values: Sequence[float]) -> list[int]:
    """Positions of the points that beat every earlier year, or everything cheaper, in that order.

    Of the points of one year, or of one cost, only the best can be on it.
    """
    order = sorted(range(len(years)), key=lambda i: (years[i], -values[i]))
    best = float("-inf")
    kept = []
    for i in order:
        if values[i] > best:
            best = values[i]
            kept.append(i)
    return kept
