"""Scores rankings, from distances or from descriptors, in one process or several."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.base.errors import ScoringError
from harness.scoring.blocks import Lists, Rows, blocks, rank_matrix
from harness.scoring.distances import Kind, Searched, checked
from harness.scoring.features import rank_features
from harness.scoring.labels import Labels, check_sides, require_match
from harness.scoring.matches import Matches
from harness.scoring.result import Ranking, Score, check_k, merged
from harness.spec.filters import Filter

__all__ = [
    "MEMORY_MIB",
    "Ranking",
    "Rows",
    "Score",
    "merged",
    "rank",
    "rank_lists",
    "rows_scored",
    "score",
    "score_features",
]

Reals = NDArray[np.floating[Any]]

MEMORY_MIB = 512
"""What scoring in NumPy may hold beside the descriptors, where nobody says otherwise."""


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
    return _ranking(distances, query, gallery, filter, 0, None).score


def rank(
    distances: ArrayLike,
    query: Labels,
    gallery: Labels,
    filter: Filter,
    k: int,
    device: str | None = None,
) -> Ranking:
    """`score` and `rank_lists` at once, in about the time of one.

    Args:
        distances, query, gallery, filter: As `score` takes them.
        k: Length of each list, at least 1.
        device: A torch device such as `cuda`, with the same result; None is NumPy.

    Raises:
        UnknownNameError: The filter does not exist.
        ScoringError: As `score` and `rank_lists`.
    """
    check_k(k)
    return _ranking(distances, query, gallery, filter, k, device)


def rank_lists(
    distances: ArrayLike, query: Labels, gallery: Labels, filter: Filter, k: int
) -> Lists:
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
    check_k(k)
    matrix = _checked(distances, query, gallery)
    return rank_matrix(matrix, Matches(query, gallery, filter), k).rank_lists


def score_features(
    query: ArrayLike,
    gallery: ArrayLike,
    query_labels: Labels,
    gallery_labels: Labels,
    *,
    filter: Filter,
    distance: Kind,
    normalise: bool,
    k: int = 50,
    memory_mib: int | None = None,
    device: str | None = None,
) -> Ranking:
    """Scores descriptors and lists the k nearest, without ever holding all distances.

    On NumPy the result is that of `distance_matrix` and `rank`, bit for bit, whatever the memory
    and the number of threads. On a torch device equal descriptors tie as well and distances are
    float64 rounded to float32 as well, but another library's products may differ in the last bits
    of float64, and so, about once in 1e8, in the last bit of float32; there this holds for other
    memory and other shares of the queries, too.

    Args:
        query: (q, d) finite real numbers.
        gallery: (g, d) finite real numbers.
        query_labels: Of the q queries.
        gallery_labels: Of the g gallery samples.
        filter: Which gallery entries are removed, see `removed`.
        distance, normalise: See `harness.scoring.distances.distance_matrix`.
        k: Length of each list, at least 1.
        memory_mib: Bound on what is held beside descriptors and result; on a device also beside
            the gallery's copy there. 64 rows of distances are held in any case. None is 512 in
            NumPy and half of what is free on a GPU.
        device: A torch device such as `cuda`; None is NumPy.

    Raises:
        UnknownNameError: The filter or the distance does not exist.
        FeaturesError: A side is no finite real matrix, or their widths differ.
        ScoringError: Labels do not fit, no query has a match, or k is below 1.
    """
    require_match(query_labels, gallery_labels, filter)
    rows = rows_scored(
        slice(0, len(query_labels)),
        query,
        gallery,
        query_labels,
        gallery_labels,
        filter=filter,
        distance=distance,
        normalise=normalise,
        k=k,
        memory_mib=memory_mib,
        device=device,
    )
    return merged([rows], query_labels, gallery_labels, filter)


def rows_scored(
    rows: slice,
    query: ArrayLike,
    gallery: ArrayLike,
    query_labels: Labels,
    gallery_labels: Labels,
    *,
    filter: Filter,
    distance: Kind,
    normalise: bool,
    k: int = 50,
    memory_mib: int | None = None,
    device: str | None = None,
) -> Rows:
    """What one of several processes does of `score_features`; `merged` puts the parts together.

    Args:
        rows: Which queries, all with start and stop. In NumPy, starts that are multiples of
            `harness.scoring.distances.TILE` give the digits of one process.
        query, gallery, query_labels, gallery_labels: Of all queries, as for `score_features`.
        filter, distance, normalise, k, memory_mib, device: The same.

    Raises:
        UnknownNameError: The filter or the distance does not exist.
        FeaturesError: A side is no finite real matrix, or their widths differ.
        ScoringError: Labels do not fit, or k is below 1.
    """
    check_k(k)
    left, searched = checked(query, gallery, distance, normalise)
    check_sides(query_labels, gallery_labels)
    _check_lengths(left, searched, (query_labels, gallery_labels))
    matches = Matches(query_labels, gallery_labels, filter)
    if device is None:
        budget = MEMORY_MIB if memory_mib is None else memory_mib
        return rank_features(left[rows], searched, matches, rows.start, k, budget)
    from harness.scoring import device as on

    return on.rank_features(left[rows], searched, matches, rows.start, k, memory_mib, device)


def _ranking(
    distances: ArrayLike,
    query: Labels,
    gallery: Labels,
    filter: Filter,
    k: int,
    device: str | None,
) -> Ranking:
    matrix = _checked(distances, query, gallery)
    matches = Matches(query, gallery, filter)
    if device is None:
        rows = rank_matrix(matrix, matches, k)
    else:
        from harness.scoring import device as on

        rows = on.rank_matrix(matrix, matches, k, MEMORY_MIB, device)
    return merged([rows], query, gallery, filter)


def _check_lengths(query: Reals, gallery: Searched, labels: tuple[Labels, Labels]) -> None:
    sizes = {"query": len(query), "gallery": len(gallery)}
    for (side, size), told in zip(sizes.items(), labels, strict=True):
        if size != len(told):
            raise ScoringError(
                f"{size} {side} descriptors but {len(told)} {side} labels",
                "as many labels as descriptors",
                "build descriptors and labels from the same list of samples",
            )


def _checked(distances: ArrayLike, query: Labels, gallery: Labels) -> Reals:
    matrix = np.asarray(distances)
    check_sides(query, gallery)
    if matrix.shape != (len(query), len(gallery)) or matrix.dtype.kind not in "fiu":
        raise ScoringError(
            f"distances of shape {matrix.shape} and type {matrix.dtype}",
            f"real numbers of shape ({len(query)}, {len(gallery)}): queries x gallery",
            "pass query labels first, gallery labels second, one row of distances per query",
        )
    # The least of numbers among which is NaN is NaN, and found faster than NaN is looked for.
    least = np.concatenate([matrix[rows].min(axis=1) for rows in blocks(*matrix.shape)])
    if np.isnan(least).any():
        bad = np.isnan(matrix)
        raise ScoringError(
            f"{bad.sum()} NaN distances in {bad.any(axis=1).sum()} queries, "
            f"first in query {bad.any(axis=1).argmax()}",
            "distances without NaN",
            "look for NaN in the features: the training may have diverged",
        )
    return matrix
