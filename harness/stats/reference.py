"""The identity bootstrap again, one identity after the other; slow, for tests only."""

from __future__ import annotations

import math
from collections.abc import Sequence

Queries = dict[int, list[float]]


def identity_interval_plain(
    values: Sequence[float],
    pids: Sequence[int],
    draws: Sequence[Sequence[int]],
    level: float = 0.95,
) -> tuple[float, float]:
    """`harness.stats.identity_interval` from given draws.

    Args:
        values: One number per query, NaN where the query has no match.
        pids: One identity per query.
        draws: For each resample, how often each identity is drawn, in the order of the pids.
        level: Share of such intervals that should hold the truth.
    """
    from scipy.stats import norm, t

    queries = _by_identity(values, pids)
    if len(queries) == 1:
        return math.nan, math.nan
    size = _effective(queries)
    tail = norm.cdf(math.sqrt(size / (size - 1)) * t.ppf((1 - level) / 2, size - 1))
    means = sorted(_mean_of_resample(queries, draw) for draw in draws)
    return _quantile(means, tail), _quantile(means, 1 - tail)


def paired_plain(
    a: Sequence[float],
    b: Sequence[float],
    pids: Sequence[int],
    draws: Sequence[Sequence[int]],
    level: float = 0.95,
) -> tuple[float, float, float]:
    """Difference and interval of `harness.stats.paired`, one run each, from given draws."""
    from scipy.stats import norm, t

    left, right = _by_identity(a, pids), _by_identity(b, pids)
    difference = _mean(left) - _mean(right)
    size, tail = _effective(left), (1 - level) / 2
    inflation = math.sqrt(size / (size - 1))
    deviations = sorted(
        (_mean_of_resample(left, d) - _mean_of_resample(right, d) - difference) * inflation
        for d in draws
    )
    wider = t.ppf(tail, size - 1) / norm.ppf(tail)
    low = difference - wider * _quantile(deviations, 1 - tail)
    return difference, low, difference - wider * _quantile(deviations, tail)


def _by_identity(values: Sequence[float], pids: Sequence[int]) -> Queries:
    found: Queries = {}
    for value, pid in zip(values, pids, strict=True):
        if not math.isnan(value):
            found.setdefault(pid, []).append(value)
    return dict(sorted(found.items()))


def _mean(queries: Queries) -> float:
    together = [value for values in queries.values() for value in values]
    return sum(together) / len(together)


def _mean_of_resample(queries: Queries, draw: Sequence[int]) -> float:
    together: list[float] = []
    for values, times in zip(queries.values(), draw, strict=True):
        together += values * times
    return sum(together) / len(together)


def _effective(queries: Queries) -> float:
    sizes = [len(values) for values in queries.values()]
    return sum(sizes) ** 2 / sum(size**2 for size in sizes)


def _quantile(ordered: list[float], share: float) -> float:
    """Linear interpolation between the two nearest of the ordered values."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
