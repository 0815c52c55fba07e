"""Re-ranking by k-reciprocal neighbours (Zhong et al., CVPR 2017)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import ScoringError
from harness.scoring import nearest

Matrix = NDArray[np.float32]
Index = NDArray[np.int32]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_CHUNK_ELEMENTS = 1 << 22


class Blocks(NamedTuple):
    """The three parts of the symmetric distance matrix over queries, then gallery: float32."""

    query_gallery: Matrix
    query_query: Matrix
    gallery_gallery: Matrix


class SparseRows(NamedTuple):
    """Rows of mostly zeros: row i holds `weights[starts[i]:starts[i + 1]]` at `columns[...]`."""

    starts: NDArray[np.int64]
    columns: NDArray[np.int64]
    weights: Floats


def k_reciprocal(
    query_gallery: ArrayLike,
    query_query: ArrayLike,
    gallery_gallery: ArrayLike,
    k1: int = 20,
    k2: int = 6,
    lambda_value: float = 0.3,
) -> Matrix:
    """Re-ranks by how much the neighbourhoods of query and gallery sample overlap.

    Section 3 of the paper. As in its authors' engine, the distances passed are squared Euclidean
    and are squared once more before each row is divided by its maximum; published re-ranked
    numbers rest on that. Neighbours at equal distance are taken by index, queries first.

    Args:
        query_gallery: (q, g) squared Euclidean distances.
        query_query: (q, q) the same among queries, symmetric.
        gallery_gallery: (g, g) the same among gallery samples, symmetric.
        k1: Size of a neighbourhood, at least 1; more than there are samples means all of them.
        k2: Over how many nearest samples a neighbourhood is averaged, at least 1; 1 is not at all.
        lambda_value: Share of the original distance in the result, from 0 to 1.

    Returns:
        (q, g) float32: (1 - lambda) x Jaccard distance + lambda x normalised original distance.

    Raises:
        ScoringError: Shapes that do not fit, no samples, distances that are not finite or too
            large to square in float32, or a setting out of range.
    """
    _check_settings(k1, k2, lambda_value)
    blocks = _checked(query_gallery, query_query, gallery_gallery)
    queries = len(blocks.query_query)
    top = _neighbours(blocks, max(k1 + 1, k2))
    members = _expanded(top[:, : k1 + 1], round(k1 / 2) + 1)
    encoded = _averaged(_encode(blocks, members), top[:, :k2])
    jaccard = _jaccard(encoded, queries)
    for start, rows in _normalised_rows(blocks, queries):
        part = jaccard[start : start + len(rows)]
        part[:] = (1 - lambda_value) * part + lambda_value * rows[:, queries:]
    return jaccard


def _normalised_rows(blocks: Blocks, stop: int) -> Iterator[tuple[int, Matrix]]:
    """The first `stop` rows over queries and gallery, in chunks: squared, divided by their max.

    In float32, because that is where the engine that published numbers come from rounds; in
    chunks made anew by each reader, because the whole matrix would double the memory.
    """
    across, within, gallery = blocks
    queries, total = across.shape[0], sum(across.shape)
    step = max(1, _CHUNK_ELEMENTS // total)
    for start in [*range(0, queries, step), *range(queries, stop, step)]:
        if start < queries:
            end = min(start + step, queries)
            rows = np.concatenate([within[start:end], across[start:end]], axis=1)
        else:
            part = slice(start - queries, start - queries + step)
            rows = np.concatenate([across[:, part].T, gallery[part]], axis=1)
        rows *= rows
        largest = rows.max(axis=1, keepdims=True)
        largest[largest == 0] = 1
        rows /= largest
        yield start, rows


def _neighbours(blocks: Blocks, k: int) -> Index:
    """The k nearest samples of every sample, itself included, nearest first: (n, min(k, n))."""
    total = sum(blocks.query_gallery.shape)
    top = np.empty((total, min(k, total)), dtype=np.int32)
    for start, rows in _normalised_rows(blocks, total):
        for i, row in enumerate(rows, start):
            top[i] = nearest(row, k)
    return top


def _mutual(top: Index) -> Bools:
    """(n, k): whether each sample's j-th neighbour counts it among its own k neighbours."""
    step = max(1, _CHUNK_ELEMENTS // top.shape[1] ** 2)
    own = np.arange(len(top), dtype=np.int32)[:, None, None]
    parts = [
        (top[top[start : start + step]] == own[start : start + step]).any(axis=2)
        for start in range(0, len(top), step)
    ]
    return np.concatenate(parts)


def _expanded(top: Index, half: int) -> list[NDArray[np.intp]]:
    """For each sample its k-reciprocal set, widened by the half-size sets that mostly lie in it."""
    mutual = _mutual(top)
    half_top = top[:, :half]
    half_mutual = _mutual(half_top)
    inside = np.zeros(len(top), dtype=np.bool_)
    sets = []
    for neighbours, is_mutual in zip(top, mutual, strict=True):
        reciprocal = neighbours[is_mutual]
        inside[reciprocal] = True
        theirs, counted = half_top[reciprocal], half_mutual[reciprocal]
        shared = (inside[theirs] & counted).sum(axis=1)
        taken = 3 * shared > 2 * counted.sum(axis=1)
        inside[theirs[taken][counted[taken]]] = True
        members = np.flatnonzero(inside)
        inside[members] = False
        sets.append(members)
    return sets


def _encode(blocks: Blocks, members: list[NDArray[np.intp]]) -> SparseRows:
    """Each sample as weights exp(-distance) over its set, summing to 1."""
    weights = []
    for start, rows in _normalised_rows(blocks, len(members)):
        for i, row in enumerate(rows, start):
            weight = np.exp(-row[members[i]].astype(np.float64))
            # A sample with more exact copies than k1 may have no reciprocal neighbour at all.
            weights.append(weight / weight.sum() if len(weight) else weight)
    return _rows(members, weights)


def _averaged(encoded: SparseRows, near: Index) -> SparseRows:
    """Each row replaced by the mean of the rows of its nearest samples, (n, k2)."""
    if near.shape[1] == 1 or len(encoded.columns) == 0:
        return encoded
    columns, weights = [], []
    for samples in near:
        entries = _entries(encoded, samples)
        present, place = np.unique(encoded.columns[entries], return_inverse=True)
        columns.append(present)
        weights.append(np.bincount(place, weights=encoded.weights[entries]) / len(samples))
    return _rows(columns, weights)


def _jaccard(encoded: SparseRows, queries: int) -> Matrix:
    """Jaccard distances of query rows to gallery rows: 1 - sum of minima / sum of maxima."""
    total = len(encoded.starts) - 1
    owner = np.repeat(np.arange(total), np.diff(encoded.starts))
    first = encoded.starts[queries]
    # The gallery by column, so that a query only meets the samples it shares a member with.
    order = first + np.argsort(encoded.columns[first:], kind="stable")
    sizes = np.bincount(encoded.columns[first:], minlength=total)
    by_column = SparseRows(
        np.append(0, sizes.cumsum()), owner[order] - queries, encoded.weights[order]
    )
    out = np.empty((queries, total - queries), dtype=np.float32)
    for i in range(queries):
        own = slice(encoded.starts[i], encoded.starts[i + 1])
        columns = encoded.columns[own]
        entries = _entries(by_column, columns)
        mine = np.repeat(encoded.weights[own], sizes[columns])
        least = np.minimum(mine, by_column.weights[entries])
        shared = np.bincount(by_column.columns[entries], weights=least, minlength=total - queries)
        # Both rows sum to 1, hence the maxima sum to 2 minus the minima.
        out[i] = 1 - shared / (2 - shared)
    return out


def _rows(columns: list[NDArray[np.intp]], weights: list[Floats]) -> SparseRows:
    sizes = [len(row) for row in columns]
    starts = np.append(0, np.cumsum(sizes))
    return SparseRows(starts, np.concatenate(columns).astype(np.int64), np.concatenate(weights))


def _entries(rows: SparseRows, which: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Positions of the entries of several rows, one row after the other."""
    begin, size = rows.starts[which], rows.starts[which + 1] - rows.starts[which]
    before = np.cumsum(size) - size
    shift: NDArray[np.int64] = np.repeat(begin - before, size)
    return np.arange(len(shift)) + shift


def _check_settings(k1: int, k2: int, lambda_value: float) -> None:
    if k1 < 1 or k2 < 1 or not 0 <= lambda_value <= 1:
        raise ScoringError(
            f"k1 = {k1}, k2 = {k2}, lambda_value = {lambda_value}",
            "k1 and k2 of at least 1, lambda_value from 0 to 1",
            "use the paper's k1 = 20, k2 = 6, lambda_value = 0.3",
        )


def _checked(
    query_gallery: ArrayLike, query_query: ArrayLike, gallery_gallery: ArrayLike
) -> Blocks:
    with np.errstate(over="ignore"):
        blocks = Blocks(
            np.asarray(query_gallery, dtype=np.float32),
            np.asarray(query_query, dtype=np.float32),
            np.asarray(gallery_gallery, dtype=np.float32),
        )
    across, within, gallery = (block.shape for block in blocks)
    if len(across) != 2 or 0 in across or within != across[:1] * 2 or gallery != across[1:] * 2:
        raise ScoringError(
            f"distances of shapes {across} query-gallery, {within} query-query, "
            f"{gallery} gallery-gallery",
            "shapes (q, g), (q, q), (g, g) with at least one query and one gallery sample",
            "compute all three with harness.distances.squared_euclidean",
        )
    largest = float(np.sqrt(np.finfo(np.float32).max))
    for name, block in blocks._asdict().items():
        if not (abs(block.max()) < largest and abs(block.min()) < largest):
            raise ScoringError(
                f"{name} distances from {block.min()} to {block.max()}",
                f"finite distances below {largest:.1e}, whose squares float32 can hold",
                "look for NaN or huge values in the features, or normalise them",
            )
    return blocks
