"""k-reciprocal re-ranking again, as sets and loops; slow, and used only to test the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Weights = dict[int, float]


def k_reciprocal_plain(
    query_gallery: Matrix,
    query_query: Matrix,
    gallery_gallery: Matrix,
    k1: int = 20,
    k2: int = 6,
    lambda_value: float = 0.3,
) -> Matrix:
    """What `harness.rerank.k_reciprocal` returns, for valid input.

    Args:
        query_gallery: (q, g) squared Euclidean distances.
        query_query: (q, q) the same among queries.
        gallery_gallery: (g, g) the same among gallery samples.
        k1: Size of a neighbourhood.
        k2: Over how many nearest samples a neighbourhood is averaged; 1 is not at all.
        lambda_value: Share of the original distance in the result.
    """
    queries, gallery = query_gallery.shape
    distance = _normalised(query_gallery, query_query, gallery_gallery)
    ranking = [np.argsort(row, kind="stable").tolist() for row in distance]

    encoded: list[Weights] = []
    for i in range(len(ranking)):
        members = _widened(ranking, i, k1)
        weights = {j: float(np.exp(-float(distance[i, j]))) for j in sorted(members)}
        total = sum(weights.values())
        encoded.append({j: weight / total for j, weight in weights.items()})

    averaged = encoded
    if k2 > 1:  # The nearest of a sample is not always itself: of exact copies, the first comes.
        averaged = [_mean([encoded[j] for j in ranking[i][:k2]]) for i in range(len(ranking))]
    out = np.empty((queries, gallery), dtype=np.float32)
    for i in range(queries):
        for j in range(gallery):
            jaccard = _jaccard(averaged[i], averaged[queries + j])
            original = float(distance[i, queries + j])
            out[i, j] = (1 - lambda_value) * jaccard + lambda_value * original
    return out


def _normalised(query_gallery: Matrix, query_query: Matrix, gallery_gallery: Matrix) -> Matrix:
    rows = np.block([[query_query, query_gallery], [query_gallery.T, gallery_gallery]])
    rows = rows.astype(np.float32) ** 2
    for i in range(len(rows)):
        if rows[i].max() > 0:
            rows[i] /= rows[i].max()
    return rows


def _reciprocal(ranking: list[list[int]], i: int, k: int) -> set[int]:
    """The k nearest of i, and i, as far as i is among the k nearest of them, or them."""
    return {j for j in ranking[i][: k + 1] if i in ranking[j][: k + 1]}


def _widened(ranking: list[list[int]], i: int, k1: int) -> set[int]:
    core = _reciprocal(ranking, i, k1)
    members = set(core)
    for j in core:
        theirs = _reciprocal(ranking, j, round(k1 / 2))
        if 3 * len(theirs & core) > 2 * len(theirs):
            members |= theirs
    return members


def _mean(rows: list[Weights]) -> Weights:
    columns = {j for row in rows for j in row}
    return {j: sum(row.get(j, 0.0) for row in rows) / len(rows) for j in columns}


def _jaccard(left: Weights, right: Weights) -> float:
    """For rows that sum to 1, where the maxima sum to 2 minus the minima."""
    shared = sum(min(weight, right[j]) for j, weight in left.items() if j in right)
    return 1 - shared / (2 - shared)
