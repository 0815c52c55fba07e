"""What a ranking is worth: average precision, CMC and mINP, per query and over all queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.base.errors import ScoringError
from harness.scoring.blocks import Lists, Rows, joined
from harness.scoring.labels import Bools, Ints, Labels, require_match
from harness.spec.filters import Filter

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Score:
    """How well a ranking finds its matches; all shares are fractions of 1.

    Attributes:
        mAP: Mean average precision (non-interpolated) over valid queries.
        mINP: Mean over valid queries of positives / rank of the last positive.
        cmc: (g,) float64; cmc[k-1] is the share of valid queries with a match in the top k.
        per_query_ap: (q,) float64, NaN where the query has no match.
        per_query_inp: (q,) float64, NaN where the query has no match.
        first_rank: (q,) int64, 1-based rank of the first match, 0 where there is none.
        positives: (q,) int64, matches left by the filter.
        candidates: (q,) int64, gallery entries left by the filter.
        tied: (q,) bool, whether a match and an entry that is none are equally near, so that the
            order of ties decides the query's outcome.
    """

    mAP: float
    mINP: float
    cmc: Floats
    per_query_ap: Floats
    per_query_inp: Floats
    first_rank: Ints
    positives: Ints
    candidates: Ints
    tied: Bools

    @property
    def valid(self) -> Bools:
        """(q,) bool: the queries with a match, over which the means are taken."""
        return self.positives > 0

    @property
    def unmatched(self) -> int:
        """How many queries have no match and so count in no mean."""
        return int(np.count_nonzero(self.positives == 0))

    def rank(self, k: int) -> float:
        """Rank-k, the share of valid queries with a match in the top k >= 1 (ScoringError below 1).

        Beyond the size of the gallery it stays at its last value.
        """
        check_k(k)
        return float(self.cmc[min(k, len(self.cmc)) - 1])


class Ranking(NamedTuple):
    """A score and the rankings it is of."""

    score: Score
    rank_lists: Lists
    """(q, k) gallery indices as ranked, removed ones left out, padded with -1."""


def merged(parts: list[Rows], query: Labels, gallery: Labels, filter: Filter) -> Ranking:
    """The result from the shares of several processes, in the order of their queries.

    Raises:
        UnknownNameError: The filter does not exist.
        ScoringError: Labels are missing, or no query has a match.
    """
    counts = require_match(query, gallery, filter)
    found = joined(parts)
    valid = counts.positives > 0
    hits = np.bincount(found.first_rank[valid], minlength=len(gallery) + 1)[1:]
    whole = Score(
        mAP=float(found.ap[valid].mean()),
        mINP=float(found.inp[valid].mean()),
        cmc=hits.cumsum() / np.count_nonzero(valid),
        per_query_ap=found.ap,
        per_query_inp=found.inp,
        first_rank=found.first_rank,
        positives=counts.positives,
        candidates=counts.candidates,
        tied=found.tied,
    )
    return Ranking(whole, found.rank_lists)


def check_k(k: int) -> None:
    """Refuses a rank or a list below 1 (ScoringError)."""
    if k < 1:
        raise ScoringError(f"k = {k}", "k of at least 1", "ask for rank 1 or later")
