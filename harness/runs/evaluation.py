"""From two sides' descriptors to everything a record says about accuracy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.evidence.features_file import Side
from harness.evidence.record import METRICS
from harness.rerank import k_reciprocal_features
from harness.scoring import Ranking, Score, rank, score_features
from harness.scoring.chance import chance
from harness.scoring.ties import in_list_order, tie_order
from harness.spec.protocol import BoundProtocol
from harness.stats import identity_interval

RANK_LIST_LENGTH = 50
CMC_LENGTH = 50


class Evaluation(NamedTuple):
    """Metrics in percent, with what is needed to believe them."""

    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float] | None]
    """95 % bootstrap over identities; None where there is one identity only."""
    chance: dict[str, float]
    """The expected value under random ranking."""
    score: Score
    rank_lists: NDArray[np.int32]
    """(q, 50) gallery positions as ranked, filtered ones left out, padded with -1."""

    @property
    def queries(self) -> int:
        """All queries asked."""
        return len(self.score.valid)

    @property
    def valid_queries(self) -> int:
        """Those with a match to find."""
        return int(self.score.valid.sum())

    @property
    def tied_queries(self) -> int:
        """Those whose outcome the order of equally near entries decides."""
        return int(self.score.tied.sum())

    def tie_warning(self) -> str:
        """What to make of queries that ties decide; nothing where there are none."""
        if not self.tied_queries:
            return ""
        share = 100 * self.tied_queries / self.valid_queries
        return (
            f"ties decide {self.tied_queries} of {self.valid_queries} queries ({share:.1f} %): a "
            "match is as near as an entry that is none. Descriptors that are alike say nothing of "
            "who is who; look for a collapsed model, or descriptors rounded or clipped"
        )


def evaluate(
    query: Side, gallery: Side, protocol: BoundProtocol, device: str | None = None
) -> Evaluation:
    """Score descriptors under a protocol.

    The intervals' resampling is seeded by a constant: the same descriptors give the same digits.

    Args:
        query: Descriptors and labels of the queries.
        gallery: The same of the gallery.
        protocol: Its filter, distance and normalisation.
        device: Where distances are ranked: a torch device such as `cuda`, or None for NumPy; see
            `harness.scoring.score_features` for how far the two agree.
    """
    searched, order = as_ranked(gallery, protocol)
    ranking = score_features(
        query.features,
        searched.features,
        query.labels,
        searched.labels,
        filter=protocol.filter,
        distance=protocol.distance,
        normalise=protocol.normalise,
        k=RANK_LIST_LENGTH,
        device=device,
    )
    return evaluate_ranking(in_list_order(ranking, order), query, gallery, protocol)


def as_ranked(side: Side, protocol: BoundProtocol) -> tuple[Side, NDArray[np.int64]]:
    """A side in the order that decides its ties under a protocol, and where each row was."""
    if protocol.ties is None:
        return side, np.arange(len(side.names))
    order = tie_order(side.names)
    names = tuple(side.names[i] for i in order)
    return Side(side.features[order], names, side.labels.take(order)), order


def evaluate_reranked(
    query: Side, gallery: Side, protocol: BoundProtocol, device: str | None = None
) -> Evaluation:
    """Score descriptors after k-reciprocal re-ranking (k1 20, k2 6, lambda 0.3).

    Neighbours that are equally near are told apart as the protocol tells apart what it ranks, on
    both sides: re-ranking looks at queries' neighbours among queries, too. On a torch device
    ranking gives the same as in NumPy, to the last digit.
    """
    (asked, asked_order), (searched, order) = (as_ranked(s, protocol) for s in (query, gallery))
    distances = k_reciprocal_features(asked.features, searched.features, device=device or "cpu")
    labels = (asked.labels, searched.labels)
    ranking = rank(distances, *labels, protocol.filter, RANK_LIST_LENGTH, device=device)
    listed = in_list_order(ranking, order, asked_order)
    return evaluate_ranking(listed, query, gallery, protocol)


def evaluate_ranking(
    ranking: Ranking, query: Side, gallery: Side, protocol: BoundProtocol
) -> Evaluation:
    """Say everything about a ranking with lists of RANK_LIST_LENGTH, such as a merged one."""
    found = ranking.score
    expected = chance(query.labels, gallery.labels, protocol.filter)
    values = _per_query(found)
    return Evaluation(
        metrics={name: percent(float(np.mean(v[found.valid]))) for name, v in values.items()},
        intervals={name: _interval(v, query.labels.pids) for name, v in values.items()},
        chance={name: percent(getattr(expected, name)) for name in METRICS},
        score=found,
        rank_lists=ranking.rank_lists,
    )


def scored(evaluation: Evaluation, query: Side) -> dict[str, Any]:
    """The accuracy part of a record."""
    found = evaluation.score
    return {
        "metrics": evaluation.metrics,
        "intervals": evaluation.intervals,
        "chance": evaluation.chance,
        "queries": evaluation.queries,
        "valid_queries": evaluation.valid_queries,
        "cmc": [float(v) for v in found.cmc[:CMC_LENGTH]],
        "per_query": per_query(evaluation, query),
    }


def per_query(evaluation: Evaluation, query: Side) -> dict[str, list[Any]]:
    """Each query's outcome as a record has it (`harness.evidence.record.PerQuery`)."""
    found = evaluation.score
    return {
        "names": list(query.names),
        "ap": [None if np.isnan(v) else float(v) for v in found.per_query_ap],
        "first_rank": [int(r) if r else None for r in found.first_rank],
        "pids": query.labels.pids.tolist(),
        "inp": [None if np.isnan(v) else float(v) for v in found.per_query_inp],
    }


def percent(fraction: float) -> float:
    """A fraction as percent, rounded to 1e-10 so that JSON shows no noise of the last bit."""
    return round(100 * fraction, 10)


def _per_query(found: Score) -> dict[str, NDArray[np.float64]]:
    """Each metric's value for each query, NaN where it has no match; the metric is their mean."""
    nothing = np.where(found.valid, 0.0, np.nan)
    return {
        "mAP": found.per_query_ap,
        **{f"R{k}": nothing + (found.first_rank <= k) for k in (1, 5, 10)},
        "mINP": found.per_query_inp,
    }


def _interval(values: NDArray[np.float64], pids: NDArray[np.int64]) -> tuple[float, float] | None:
    low, high = identity_interval(values, pids)
    return None if np.isnan(low) else (percent(low), percent(high))
