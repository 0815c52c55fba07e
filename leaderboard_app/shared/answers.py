"""What a query was answered with, in the order the metric ranked it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.scoring.distances import distance_matrix
from harness.scoring.labels import removed
from leaderboard_app.shared.evidence import Evidence

Order = Literal["worst", "best", "difference", "random"]


class Hit(NamedTuple):
    """One gallery entry in the answer to a query."""

    position: int
    """In the gallery."""
    rank: int | None
    """1-based, as the metric counts; None for an entry the protocol removes."""
    correct: bool
    distance: float


def hits(evidence: Evidence, query: int, most: int, with_removed: bool = False) -> list[Hit]:
    """The first answers to a query.

    Args:
        evidence: Of the run.
        query: Position in the query list.
        most: How many ranked entries, at most the length of the stored lists.
        with_removed: Also those that the protocol removes and that lie nearer than the last one
            shown; they have no rank.
    """
    ranked = evidence.rank_lists[query]
    ranked = ranked[ranked >= 0][:most]
    distances = _distances(evidence, query)
    correct = evidence.gallery.labels.pids == evidence.query.labels.pids[query]
    found = [
        Hit(int(p), rank, bool(correct[p]), float(distances[p]))
        for rank, p in enumerate(ranked, start=1)
    ]
    if not with_removed or not found:
        return found
    one = evidence.query.labels.take(slice(query, query + 1))
    gone = np.flatnonzero(removed(one, evidence.gallery.labels, evidence.protocol.filter)[0])
    last = (found[-1].distance, found[-1].position)
    near = [
        Hit(int(p), None, bool(correct[p]), float(distances[p]))
        for p in gone
        if (distances[p], p) < last
    ]
    # Stable: ranked entries keep the metric's order even where a single row rounds otherwise.
    return _merged(found, sorted(near, key=lambda hit: (hit.distance, hit.position)))


def ordered(
    order: Order,
    ap: Sequence[float | None],
    other: Sequence[float | None] | None = None,
    seed: int = 0,
) -> list[int]:
    """Positions of the queries that have a match, in the order asked for.

    Args:
        order: `difference` is by |AP - AP of `other`|, largest first.
        ap: AP of each query, None where it has no match.
        other: AP of the same queries in another run; needed for `difference`.
        seed: Of `random`.
    """
    valid = [i for i, value in enumerate(ap) if value is not None]
    if order == "random":
        return [valid[i] for i in np.random.default_rng(seed).permutation(len(valid))]
    if order == "difference" and other is not None:
        return sorted(valid, key=lambda i: -abs((ap[i] or 0.0) - (other[i] or 0.0)))
    sign = -1 if order == "best" else 1
    return sorted(valid, key=lambda i: sign * (ap[i] or 0.0))


def _distances(evidence: Evidence, query: int) -> NDArray[np.float32]:
    protocol = evidence.protocol
    return distance_matrix(
        evidence.query.features[query : query + 1],
        evidence.gallery.features,
        protocol.distance,
        protocol.normalise,
    )[0]


def _merged(ranked: list[Hit], gone: list[Hit]) -> list[Hit]:
    """Both lists as one, each in its own order."""
    out: list[Hit] = []
    rest = iter(gone)
    waiting = next(rest, None)
    for hit in ranked:
        while waiting is not None and waiting.distance <= hit.distance:
            out.append(waiting)
            waiting = next(rest, None)
        out.append(hit)
    return out
