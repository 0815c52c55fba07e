"""What a uniformly random ranking would score, in closed form."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from harness.scoring.labels import Labels, require_match
from harness.spec.filters import Filter


class Chance(NamedTuple):
    """Expected scores, fractions, of a uniformly random ranking."""

    mAP: float
    R1: float
    R5: float
    R10: float
    mINP: float


def chance(query: Labels, gallery: Labels, filter: Filter) -> Chance:
    """What a uniformly random ranking scores on average, in closed form over valid queries.

    For N candidates of which P match, the expected AP is
    (H_N + (P - 1) / (N - 1) * (N - H_N)) / N, where H_N is the N-th harmonic number.

    Raises:
        UnknownNameError: The filter does not exist.
        ScoringError: Missing labels, or no query with a match.
    """
    counts = require_match(query, gallery, filter)
    valid = counts.positives > 0
    pairs, weights = np.unique(
        np.column_stack([counts.candidates, counts.positives])[valid], axis=0, return_counts=True
    )
    expected = np.array([_expected(int(n), int(p)) for n, p in pairs])
    return Chance(*np.average(expected, axis=0, weights=weights).tolist())


def _expected(candidates: int, positives: int) -> tuple[float, float, float, float, float]:
    n, p = candidates, positives
    harmonic = float((1 / np.arange(1, n + 1)).sum())
    spread = (p - 1) / (n - 1) * (n - harmonic) if n > 1 else 0.0
    ap = (harmonic + spread) / n
    missed = np.cumprod([max(n - p - i, 0) / (n - i) if i < n else 0.0 for i in range(10)])
    # P(last = r) is C(r-1, p-1) / C(n, p): p / n at r = n, and each step down to r - 1 multiplies
    # it by (r - p) / (r - 1). Walking down needs no binomial, and what underflows is negligible.
    last = np.arange(n, p - 1, -1, dtype=np.float64)
    probability = p / n * np.cumprod(np.append(1.0, (last[:-1] - p) / (last[:-1] - 1)))
    inp = float((probability * p / last).sum())
    return ap, float(1 - missed[0]), float(1 - missed[4]), float(1 - missed[9]), inp
