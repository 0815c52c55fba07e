"""The identity bootstrap again, drawing one identity after the other; slow, for tests only."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence


def identity_interval_plain(
    values: Sequence[float],
    pids: Sequence[int],
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """What `harness.stats.identity_interval` estimates, from other random draws.

    Args:
        values: One number per query, NaN where the query has no match.
        pids: One identity per query.
        resamples: How many resamples to draw.
        level: Share of resamples inside the interval.
        seed: Of Python's own generator.
    """
    queries_of: dict[int, list[float]] = {}
    for value, pid in zip(values, pids, strict=True):
        if not math.isnan(value):
            queries_of.setdefault(pid, []).append(value)
    if len(queries_of) == 1:
        return math.nan, math.nan
    identities = sorted(queries_of)
    rng = random.Random(seed)
    means = []
    for _ in range(resamples):
        drawn = rng.choices(identities, k=len(identities))
        together = [value for pid in drawn for value in queries_of[pid]]
        means.append(sum(together) / len(together))
    means.sort()
    return _quantile(means, (1 - level) / 2), _quantile(means, (1 + level) / 2)


def _quantile(ordered: list[float], share: float) -> float:
    """Linear interpolation between the two nearest of the ordered values."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
