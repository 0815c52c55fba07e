"""The identity bootstrap: whole identities are drawn, since their queries are not independent."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.base.errors import ScoringError

Floats = NDArray[np.float64]

# Resamples are drawn so many weights at a time, so that memory does not grow with the gallery.
_CHUNK_ELEMENTS = 1 << 22


class Clusters(NamedTuple):
    """Values summed by identity; queries without a match are left out."""

    sums: Floats
    """(n, r): each identity's sum in each of r rows of values."""
    counts: Floats
    """(n,): each identity's number of valid queries."""

    @property
    def means(self) -> Floats:
        """(r,): the mean over all valid queries."""
        found: Floats = self.sums.sum(axis=0) / self.counts.sum()
        return found

    @property
    def effective(self) -> float:
        """As how many identities of equal size they count (Kish): n when all are equal."""
        return float(self.counts.sum() ** 2 / (self.counts**2).sum())


def identity_interval(
    values: ArrayLike,
    pids: ArrayLike,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Bootstrap interval of a mean over queries, resampling identities.

    The queries of one identity share its clothes and gait and are not independent; drawing whole
    identities with replacement keeps them together. Each resample's mean is the sum of its queries
    over their number. A plain percentile interval is too narrow for few identities; this one takes
    the quantiles further out by as much as a t interval is wider than a normal one (Hesterberg,
    "What Teachers Should Know About the Bootstrap", The American Statistician 69, 2015, the
    expanded percentile interval), so it stays within the range of the metric.

    Args:
        values: (q,) real numbers, such as per-query AP; NaN marks a query without a match, which
            is left out.
        pids: (q,) integers, the identity of each query.
        resamples: How many resamples to draw, at least 1.
        level: Share of such intervals that should hold the truth, between 0 and 1.
        seed: Of numpy's PCG64; the same seed gives the same interval.

    Returns:
        Lower and upper end. Both are NaN when the queries are of one identity only: from one
        identity nothing can be said about others, and an interval of width 0 would claim it.

    Raises:
        ScoringError: Unequal lengths, no value but NaN, infinite values, or a bad setting.
    """
    check_settings(resamples, level)
    row = np.asarray(values, dtype=np.float64)
    if row.ndim != 1:
        raise _misfit(row, pids)
    found = clustered(row[None], pids)
    if len(found.counts) == 1:
        return math.nan, math.nan
    means = resampled(found, resamples, seed)[:, 0]
    tail = expanded_tail(found.effective, level)
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def expanded_tail(effective: float, level: float) -> float:
    """The share to leave out at each end so that few identities are covered as many are."""
    from scipy.special import ndtr, stdtrit

    wider = math.sqrt(effective / (effective - 1)) * stdtrit(effective - 1, (1 - level) / 2)
    return float(ndtr(wider))


def resampled(clusters: Clusters, resamples: int, seed: int) -> Floats:
    """(resamples, r) means, each over identities drawn with replacement, the same for all rows."""
    return np.concatenate(
        [
            (drawn @ clusters.sums) / (drawn @ clusters.counts)[:, None]
            for drawn in drawn_weights(len(clusters.counts), resamples, seed)
        ]
    )


def drawn_weights(identities: int, resamples: int, seed: int) -> Iterator[Floats]:
    """(some, identities): how often each identity is drawn, for all resamples in chunks."""
    rng = np.random.Generator(np.random.PCG64(seed))
    shares = np.full(identities, 1 / identities)
    step = max(1, _CHUNK_ELEMENTS // identities)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        # As floats: a product of integers with floats would be converted again at each use.
        yield rng.multinomial(identities, shares, size=size).astype(np.float64)


def as_rows(values: ArrayLike) -> Floats:
    """(r, q) of one row of values or several."""
    x = np.asarray(values, dtype=np.float64)
    return x[None] if x.ndim == 1 else x


def clustered(rows: Floats, pids: ArrayLike) -> Clusters:
    """Sum and number of the values of each identity that has any.

    Args:
        rows: (r, q); NaN at the same queries in every row.
        pids: (q,).

    Raises:
        ScoringError: Other shapes, no value but NaN, infinite values, or rows that differ in
            which queries are valid.
    """
    who = np.asarray(pids)
    if rows.ndim != 2 or who.ndim != 1 or rows.shape[1] != len(who):
        raise _misfit(rows[0] if len(rows) == 1 else rows, pids)
    known = ~np.isnan(rows)
    if not known.any() or np.isinf(rows).any():
        raise ScoringError(
            f"{np.count_nonzero(known)} values that are not NaN, {np.isinf(rows).sum()} infinite",
            "finite values, and NaN only for queries without a match",
            "pass the per-query values of a Score",
        )
    if not (known == known[0]).all():
        raise ScoringError(
            "rows that have no value at different queries",
            "the same queries without a match in every row",
            "compare runs on the same data under the same protocol",
        )
    valid = rows[:, known[0]]
    identity = np.unique(who[known[0]], return_inverse=True)[1]
    sums = np.zeros((identity.max() + 1, len(rows)))
    np.add.at(sums, identity, valid.T)
    return Clusters(sums, np.bincount(identity).astype(np.float64))


def _misfit(values: Floats, pids: ArrayLike) -> ScoringError:
    return ScoringError(
        f"values of shape {values.shape} with pids of shape {np.shape(pids)}",
        "one value and one pid for each query",
        "pass one value and one pid per query",
    )


def check_settings(resamples: int, level: float) -> None:
    """Refuse what is no bootstrap.

    Raises:
        ScoringError: No resample, or a level that is no share.
    """
    if resamples < 1 or not 0 < level < 1:
        raise ScoringError(
            f"resamples = {resamples}, level = {level}",
            "at least one resample and a level between 0 and 1",
            "leave them as they are unless there is a reason",
        )
