"""Scores rankings: average precision, CMC and mINP, per query and over all queries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import ScoringError
from harness.filters import Filter
from harness.labels import (
    Bools,
    Ints,
    Labels,
    check_sides,
    removed,
    require_match,
)

Floats = NDArray[np.float64]
Reals = NDArray[np.floating[Any]]

# Queries are handled in chunks of this many distances, so that masks stay small for any gallery.
_CHUNK_ELEMENTS = 1 << 22


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
    """

    mAP: float
    mINP: float
    cmc: Floats
    per_query_ap: Floats
    per_query_inp: Floats
    first_rank: Ints
    positives: Ints
    candidates: Ints

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
        _check_k(k)
        return float(self.cmc[min(k, len(self.cmc)) - 1])


def score(
    distances: ArrayLike, query: Labels, gallery: Labels, filter: Filter = "same_pid_same_cam"
) -> Score:
    """Scores a distance matrix; equal distances are ranked by gallery index.

    Average precision is the mean over positives of i / rank of the i-th positive, with ranks
    counted among the gallery entries that the filter leaves. A query without a match enters no
    mean and is reported in `unmatched`.

    Args:
        distances: (q, g) real numbers, smaller is nearer; infinity is allowed, NaN is not.
        query: Labels of the q queries.
        gallery: Labels of the g gallery samples.
        filter: Which gallery entries are removed, see `removed`.

    Raises:
        UnknownNameError: The filter does not exist.
        ScoringError: Wrong shape or type, NaN, missing labels, or no query with a match.
    """
    matrix = _checked(distances, query, gallery)
    counts = require_match(query, gallery, filter)
    ap, inp = np.full((2, len(query)), np.nan)
    first = np.zeros(len(query), dtype=np.int64)
    for i, ranks in _ranks_of_matches(matrix, query, gallery, filter):
        ap[i] = np.mean(np.arange(1, len(ranks) + 1) / ranks)
        inp[i] = len(ranks) / ranks[-1]
        first[i] = ranks[0]
    valid = counts.positives > 0
    hits = np.bincount(first[valid], minlength=len(gallery) + 1)[1:]
    return Score(
        mAP=float(ap[valid].mean()),
        mINP=float(inp[valid].mean()),
        cmc=hits.cumsum() / np.count_nonzero(valid),
        per_query_ap=ap,
        per_query_inp=inp,
        first_rank=first,
        positives=counts.positives,
        candidates=counts.candidates,
    )


def rank_lists(
    distances: ArrayLike, query: Labels, gallery: Labels, filter: Filter, k: int
) -> NDArray[np.int32]:
    """The k nearest gallery entries of each query, exactly as `score` ranks them.

    Args:
        distances: (q, g) real numbers without NaN.
        query: Labels of the q queries, with or without a match.
        gallery: Labels of the g gallery samples.
        filter: Which gallery entries are left out, see `removed`.
        k: Length of each list, at least 1.

    Returns:
        (q, k) int32 gallery indices, nearest first, padded with -1.

    Raises:
        UnknownNameError: The filter does not exist.
        ScoringError: Wrong shape or type, NaN, missing labels, or k below 1.
    """
    _check_k(k)
    matrix = _checked(distances, query, gallery)
    lists = np.full((len(query), k), -1, dtype=np.int32)
    for rows in _chunks(matrix):
        keep = ~removed(query.take(rows), gallery, filter)
        for i, kept in enumerate(keep):
            index = np.flatnonzero(kept)
            top = index[nearest(matrix[rows.start + i, index], k)]
            lists[rows.start + i, : len(top)] = top
    return lists


def nearest(values: Reals, k: int) -> NDArray[np.intp]:
    """Indices of the k smallest values of (n,), ascending, ties by index; all n when k exceeds n.

    It returns what a stable sort would, without sorting more than it needs.
    """
    if k >= len(values):
        return np.argsort(values, kind="stable")
    bound = np.partition(values, k - 1)[k - 1]
    near = np.flatnonzero(values <= bound)
    return near[np.argsort(values[near], kind="stable")[:k]]


def _ranks_of_matches(
    matrix: Reals, query: Labels, gallery: Labels, filter: Filter
) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each query that has a match, with the ranks of its matches."""
    for rows in _chunks(matrix):
        part = query.take(rows)
        keep = ~removed(part, gallery, filter)
        match = (part.pids[:, None] == gallery.pids) & keep
        for i in np.flatnonzero(match.any(axis=1)).tolist():
            yield rows.start + i, _ranks(matrix[rows.start + i], keep[i], match[i])


def _ranks(row: Reals, keep: Bools, match: Bools) -> NDArray[np.intp]:
    """1-based ranks of one query's matches, ascending."""
    kept, wanted = row[keep], np.sort(row[match])
    ordered = np.sort(kept)
    below = np.searchsorted(ordered, wanted, side="left")
    if np.array_equal(np.searchsorted(ordered, wanted, side="right"), below + 1):
        return below + 1
    # Sorting values is four times as fast as a stable argsort, which only ties with a match need.
    order = np.argsort(kept, kind="stable")
    return np.flatnonzero(match[keep][order]) + 1


def _chunks(matrix: Reals) -> Iterator[slice]:
    step = max(1, _CHUNK_ELEMENTS // matrix.shape[1])
    for start in range(0, len(matrix), step):
        yield slice(start, min(start + step, len(matrix)))


def _checked(distances: ArrayLike, query: Labels, gallery: Labels) -> Reals:
    matrix = np.asarray(distances)
    check_sides(query, gallery)
    if matrix.shape != (len(query), len(gallery)) or matrix.dtype.kind not in "fiu":
        raise ScoringError(
            f"distances of shape {matrix.shape} and type {matrix.dtype}",
            f"real numbers of shape ({len(query)}, {len(gallery)}): queries x gallery",
            "pass query labels first, gallery labels second, one row of distances per query",
        )
    if matrix.dtype.kind != "f":
        matrix = matrix.astype(np.float64)
    bad = np.concatenate([np.isnan(matrix[rows]).sum(axis=1) for rows in _chunks(matrix)])
    if bad.any():
        raise ScoringError(
            f"{bad.sum()} NaN distances in {np.count_nonzero(bad)} queries, "
            f"first in query {bad.argmax()}",
            "distances without NaN",
            "look for NaN in the features: the training may have diverged",
        )
    return matrix


def _check_k(k: int) -> None:
    if k < 1:
        raise ScoringError(f"k = {k}", "k of at least 1", "ask for rank 1 or later")
