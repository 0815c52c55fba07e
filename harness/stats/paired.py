"""Two runs, or two groups of seeds, on the same queries: which is better, and is it noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.bootstrap import Floats
from harness.stats.noise import LEVEL, RESAMPLES, Noise, noise, widening


class Paired(NamedTuple):
    """A difference of means, a less b, in the unit of the values."""

    difference: float
    interval: tuple[float, float]
    """Both NaN when the queries are of one identity only."""
    p: float
    """Two-sided; below 0.05 exactly when the 95 % interval leaves out zero. NaN as the interval."""

    @property
    def differs(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.interval[0] > 0 or self.interval[1] < 0


def paired(
    a: ArrayLike,
    b: ArrayLike,
    pids: ArrayLike,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Paired:
    """Compare two runs, or several seeds of each, on the same queries.

    Identities are drawn with replacement, the same for both sides, and where a side has several
    runs, seeds too (the model is in `harness.stats.noise`). The interval takes the quantiles of the
    resampled differences, further from the difference by the ratio of t to normal quantiles, since
    from few identities and seeds the spread itself is known badly. p is the smallest share that an
    interval so made may leave out and still leave out zero.

    Args:
        a: (q,) values of one run or (k, q) of k seeds; NaN where a query has no match.
        b: The same queries; it may have another number of seeds.
        pids: (q,) the identity of each query.
        resamples: How many to draw; p is never below 2 / (resamples + 1).
        level: Share of such intervals that should hold the true difference.
        seed: Of numpy's PCG64; the same seed gives the same answer.

    Raises:
        ScoringError: Shapes that do not fit, rows on different queries, or bad settings.
    """
    return between(noise([a, b], pids, resamples, seed), 0, 1, level)


def between(drawn: Noise, a: int, b: int, level: float = LEVEL) -> Paired:
    """The comparison of two rows of which the noise is drawn already."""
    difference = float(drawn.means[a] - drawn.means[b])
    if not drawn.freedom > 0:
        return Paired(difference, (math.nan, math.nan), math.nan)
    deviations = np.sort(drawn.between(a, b))
    identity = np.var(drawn.identity[:, [a]] - drawn.identity[:, [b]], axis=0)
    seeds = [(drawn.seed_variance[[row]], np.array([drawn.runs[row]])) for row in (a, b)]

    def widened(tail: float) -> float:
        return float(widening(identity, drawn.freedom, seeds, tail)[0])

    tail = (1 - level) / 2
    top, bottom = (_at(deviations, share) * widened(tail) for share in (1 - tail, tail))
    interval = (difference - top, difference - bottom)
    return Paired(difference, interval, _p_value(deviations, difference, widened))


def _p_value(deviations: Floats, difference: float, widened: Callable[[float], float]) -> float:
    """Twice the tail at which the end of the interval touches zero, by bisection."""
    if deviations[0] == deviations[-1]:
        return 1.0 if difference == 0 else 2 / (len(deviations) + 1)
    size = abs(difference)
    # The interval's near end is the difference less this quantile.
    towards = deviations if difference > 0 else -deviations[::-1]
    low, high = 1 / (len(deviations) + 1), 0.5 - 1e-6

    def reaches(tail: float) -> bool:
        return _at(towards, 1 - tail) * widened(tail) >= size

    if reaches(high):
        return 1.0
    if not reaches(low):
        return 2 * low
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if reaches(middle) else (low, middle)
    return low + high


def _at(ordered: Floats, share: float) -> float:
    """What np.quantile gives for ordered values, without looking at all of them."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (place - below) * (ordered[above] - ordered[below]))


def holm(ps: Sequence[float]) -> tuple[float, ...]:
    """p-values corrected for being several (Holm, Scandinavian Journal of Statistics 6, 1979).

    The smallest is multiplied by their number, the next by one less, and so on; none falls below
    one before it or rises above 1. NaN stays NaN and does not count.
    """
    order = sorted((p, n) for n, p in enumerate(ps) if not math.isnan(p))
    found = [math.nan] * len(ps)
    least = 0.0
    for place, (p, n) in enumerate(order):
        least = max(least, min(1.0, p * (len(order) - place)))
        found[n] = least
    return tuple(found)
