"""Which rows of a table can be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.stats.bootstrap import Floats, check_settings
from harness.stats.noise import LEVEL, RESAMPLES, Noise, noise, widening

# Differences are sorted so many at a time.
_CHUNK_ELEMENTS = 1 << 21
# How often a true difference of the detectable size is found.
_POWER = 0.8


class Ranking(NamedTuple):
    """What comparing every two of r rows says."""

    intervals: tuple[tuple[int, int], ...]
    """Best and worst rank of each row that the comparisons leave open, from 1."""
    groups: tuple[int, ...]
    """Tie group of each row, from 1."""
    better: NDArray[np.bool_]
    """(r, r): whether the row is better than the column, beyond what its interval allows."""
    half_widths: Floats
    """(r, r): half the width of each paired interval; 0 on the diagonal."""


class Resolution(NamedTuple):
    """How fine a difference a data set can show between the rows of a table."""

    smallest: float
    """The smallest difference that would be told from zero: half a paired interval."""
    detectable: float
    """The smallest true difference that four of five such comparisons would find."""
    pairs: int
    """Over how many pairs of rows these are medians."""


def rank_groups(
    rows: Sequence[ArrayLike],
    pids: ArrayLike,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Ranking:
    """Compare every two rows, with one set of draws for all of them.

    Two rows whose paired interval contains zero cannot be told apart. A row's rank lies between
    one more than the rows that are better than it and the number of rows less those that are worse.
    Tie groups: the best row leads the first; all rows that cannot be told from it share its
    rank; the best row left over leads the next group, and so on. So rows of one group are
    tied with its leader, not always with each other. Nothing here corrects for the number of rows.

    Args:
        rows: As in `harness.stats.noise.noise`, larger is better.
        pids: (q,) the identity of each query.
        resamples: How many to draw.
        level: Of the paired intervals.
        seed: Of numpy's PCG64; `paired` with the same one draws the same.

    Raises:
        ScoringError: Shapes that do not fit, rows on different queries, or bad settings.
    """
    check_settings(resamples, level)
    if not rows:
        return Ranking((), (), np.zeros((0, 0), dtype=bool), np.zeros((0, 0)))
    drawn = noise(rows, pids, resamples, seed)
    low, high = _ends(drawn, level)
    # A comparison within one identity is NaN, and nothing is better than anything.
    better = low > 0
    count = len(rows)
    above, below = better.sum(axis=0), better.sum(axis=1)
    intervals = tuple((int(1 + a), int(count - b)) for a, b in zip(above, below, strict=True))
    return Ranking(intervals, _groups(drawn.means, better), better, (high - low) / 2)


def mean_intervals(
    rows: Sequence[ArrayLike],
    pids: ArrayLike,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> tuple[tuple[float, float] | None, ...]:
    """Each row's own interval, over identities and seeds together; None within one identity.

    Args and errors as `rank_groups`.
    """
    check_settings(resamples, level)
    drawn = noise(rows, pids, resamples, seed)
    if not drawn.freedom > 0:
        return (None,) * len(rows)
    tail = (1 - level) / 2
    # The same draws for every row, so that its interval does not depend on which others there are.
    shared = np.random.Generator(np.random.PCG64([seed, 1])).standard_normal((resamples, 1))
    deviations = drawn.identity + shared * np.sqrt(drawn.seed_variance)
    bottom, top = _two_quantiles(deviations.T, tail)
    seeds = [(drawn.seed_variance, np.array(drawn.runs))]
    wider = widening(np.var(drawn.identity, axis=0), drawn.freedom, seeds, tail)
    low, high = drawn.means - top * wider, drawn.means - bottom * wider
    return tuple((float(a), float(b)) for a, b in zip(low, high, strict=True))


def _ends(drawn: Noise, level: float) -> tuple[Floats, Floats]:
    """(r, r) lower and upper end of each interval of row less column."""
    count, tail = len(drawn.means), (1 - level) / 2
    low, high = np.zeros((2, count, count))
    left, right = np.triu_indices(count, k=1)
    both = drawn.identity + drawn.seeds
    runs = np.array(drawn.runs)
    step = max(1, _CHUNK_ELEMENTS // len(both))
    for start in range(0, len(left), step):
        a, b = left[start : start + step], right[start : start + step]
        # Rows of deviations, so that each is sorted in one piece of memory.
        deviations = np.ascontiguousarray((both[:, a] - both[:, b]).T)
        bottom, top = _two_quantiles(deviations, tail)
        identity = np.var(drawn.identity[:, a] - drawn.identity[:, b], axis=0)
        seeds = [(drawn.seed_variance[side], runs[side]) for side in (a, b)]
        wider = widening(identity, drawn.freedom, seeds, tail) if drawn.freedom > 0 else np.nan
        difference = drawn.means[a] - drawn.means[b]
        low[a, b], high[a, b] = difference - top * wider, difference - bottom * wider
        low[b, a], high[b, a] = -high[a, b], -low[a, b]
    return low, high


def _two_quantiles(deviations: Floats, tail: float) -> tuple[Floats, Floats]:
    found = np.quantile(deviations, [tail, 1 - tail], axis=1)
    return found[0], found[1]


def _groups(means: Floats, better: NDArray[np.bool_]) -> tuple[int, ...]:
    groups = [0] * len(means)
    left = np.argsort(-means, kind="stable").tolist()
    number = 0
    while left:
        number += 1
        leader = left[0]
        for row in [r for r in left if not better[leader, r]]:
            groups[row] = number
        left = [r for r in left if groups[r] == 0]
    return tuple(groups)


def resolution(ranking: Ranking, level: float = LEVEL) -> Resolution | None:
    """The smallest difference that this data set resolves, judged by the rows of a table.

    It assumes that a new method's per-query values would go along with those of the rows as much
    as theirs go with each other; rows that are copies of one another (interval of no width) are
    left out. None when no two rows are left to judge by.
    """
    from scipy.special import ndtri

    upper = ranking.half_widths[np.triu_indices(len(ranking.half_widths), k=1)]
    widths = upper[upper > 0]
    if not len(widths):
        return None
    smallest = float(np.median(widths))
    share = ndtri(1 - (1 - level) / 2)
    return Resolution(smallest, smallest * float((share + ndtri(_POWER)) / share), len(widths))
