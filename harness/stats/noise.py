"""How far the mean of each row may be from its truth: identities and seeds, drawn together.

The model: a row's mean over queries is its true mean, plus what this draw of test identities adds
(shared by all rows, and correlated between them), plus what this draw of training seeds adds (each
row's own). The first is bootstrapped by identities, with the same draws for all rows. The second is
drawn from a normal distribution with the standard deviation of the runs' means over the root of
their number: two to five seeds have too few distinct resamples of their own. A row of one run has
no such part: what is said then is about that trained model, not about the method.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.stats.bootstrap import Floats, as_rows, check_settings, clustered, resampled

RESAMPLES = 10_000
LEVEL = 0.95


class Noise(NamedTuple):
    """Resampled deviations of r rows from their means, and how surely their size is known."""

    means: Floats
    """(r,)"""
    identity: Floats
    """(resamples, r), inflated by sqrt(n / (n - 1)): a resample of n varies too little by that."""
    seeds: Floats
    """(resamples, r)"""
    freedom: float
    """Degrees of freedom of the identity part: effective identities less one."""
    seed_variance: Floats
    """(r,): of each row's mean over seeds; 0 for one run."""
    runs: tuple[int, ...]
    """How many runs each row has."""

    def between(self, a: int, b: int) -> Floats:
        """(resamples,): deviations of the difference of two rows, row a less row b."""
        both = self.identity + self.seeds
        found: Floats = both[:, a] - both[:, b]
        return found


def noise(
    rows: Sequence[ArrayLike], pids: ArrayLike, resamples: int = RESAMPLES, seed: int = 0
) -> Noise:
    """Draw identities and seeds for rows of runs on the same queries.

    Args:
        rows: For each row (q,) values of one run or (k, q) of k seeds; NaN where a query has no
            match, the same queries in all of them.
        pids: (q,) the identity of each query.
        resamples: How many to draw.
        seed: Of numpy's PCG64.

    Raises:
        ScoringError: Shapes that do not fit, or rows on different queries.
    """
    check_settings(resamples, LEVEL)
    runs = [as_rows(row) for row in rows]
    clusters = clustered(np.concatenate(runs), pids)
    each = np.split(clusters.means, np.cumsum([len(r) for r in runs])[:-1])
    averaged = clustered(np.stack([r.mean(axis=0) for r in runs]), pids)
    means = averaged.means
    freedom = averaged.effective - 1
    if len(averaged.counts) > 1:
        # The effective number, not the number: it is what the width depends on.
        inflation = math.sqrt(1 + 1 / freedom)
        identity = (resampled(averaged, resamples, seed) - means) * inflation
    else:
        identity = np.full((resamples, len(runs)), np.nan)
    variance = np.array([np.var(m, ddof=1) / len(m) if len(m) > 1 else 0.0 for m in each])
    drawn = np.stack([_luck(row, resamples, seed) for row in runs], axis=1) * np.sqrt(variance)
    return Noise(means, identity, drawn, freedom, variance, tuple(len(m) for m in each))


def _luck(runs: Floats, resamples: int, seed: int) -> Floats:
    """(resamples,) normal draws that belong to a row's values, not to its place among the rows.

    So comparing a with b says of their difference what comparing b with a says.
    """
    own = zlib.crc32(np.ascontiguousarray(runs).tobytes())
    found: Floats = np.random.Generator(np.random.PCG64([seed, own])).standard_normal(resamples)
    return found


def widening(
    identity_variance: Floats, freedom: float, seeds: Sequence[tuple[Floats, Floats]], tail: float
) -> Floats:
    """By what factor t quantiles exceed normal ones, for differences of two rows.

    The degrees of freedom of a sum of variances are Satterthwaite's (Biometrics Bulletin 2, 1946).

    Args:
        identity_variance: (p,) of the identity part of each difference.
        freedom: Its degrees of freedom.
        seeds: Variance of the seed part and number of runs, (p,) each, for either side.
        tail: Share left out at one end.
    """
    from scipy.special import ndtri, stdtrit

    whole = identity_variance + sum(variance for variance, _ in seeds)
    parts = identity_variance**2 / freedom
    for variance, runs in seeds:
        parts = parts + variance**2 / np.maximum(runs - 1, 1)
    known = parts > 0
    degrees = np.where(known, whole**2 / np.where(known, parts, 1.0), freedom)
    found: Floats = stdtrit(degrees, tail) / ndtri(tail)
    return found
