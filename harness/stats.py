"""Confidence intervals that respect how few identities a test set has."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import ScoringError

Floats = NDArray[np.float64]


def identity_interval(
    values: ArrayLike,
    pids: ArrayLike,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean over queries, resampling identities.

    The queries of one identity share its clothes and gait and are not independent; drawing whole
    identities with replacement keeps them together. Each resample's mean is the sum of its queries
    over their number. To compare two rankings of the same queries, pass the differences of their
    per-query values.

    Args:
        values: (q,) real numbers, such as per-query AP; NaN marks a query without a match, which
            is left out.
        pids: (q,) integers, the identity of each query.
        resamples: How many resamples to draw, at least 1.
        level: Share of resamples inside the interval, between 0 and 1.
        seed: Of numpy's PCG64; the same seed gives the same interval.

    Returns:
        Lower and upper end. Both are NaN when the queries are of one identity only: from one
        identity nothing can be said about others, and an interval of width 0 would claim it.

    Raises:
        ScoringError: Unequal lengths, no value but NaN, infinite values, or a bad setting.
    """
    _check_settings(resamples, level)
    sums, counts = _by_identity(values, pids)
    if len(sums) == 1:
        return math.nan, math.nan
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=resamples)
    means = (drawn @ sums) / (drawn @ counts)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _by_identity(values: ArrayLike, pids: ArrayLike) -> tuple[Floats, Floats]:
    """Sum and number of the values of each identity that has any."""
    x, who = np.asarray(values, dtype=np.float64), np.asarray(pids)
    if x.ndim != 1 or x.shape != who.shape:
        raise ScoringError(
            f"values of shape {x.shape} with pids of shape {who.shape}",
            "two one-dimensional lists of equal length",
            "pass one value and one pid per query",
        )
    known = ~np.isnan(x)
    if not known.any() or np.isinf(x).any():
        raise ScoringError(
            f"{np.count_nonzero(known)} values that are not NaN, {np.isinf(x).sum()} infinite",
            "finite values, and NaN only for queries without a match",
            "pass the per-query values of a Score",
        )
    identity = np.unique(who[known], return_inverse=True)[1]
    sums = np.bincount(identity, weights=x[known])
    return sums.astype(np.float64), np.bincount(identity).astype(np.float64)


def _check_settings(resamples: int, level: float) -> None:
    if resamples < 1 or not 0 < level < 1:
        raise ScoringError(
            f"resamples = {resamples}, level = {level}",
            "at least one resample and a level between 0 and 1",
            "leave them at 2000 and 0.95 unless there is a reason",
        )
