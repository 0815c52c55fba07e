"""Neighbourhoods of samples as sparse rows: reciprocal sets, their mean and their overlap."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Index = NDArray[np.int32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

CHUNK_ELEMENTS = 1 << 22


class SparseRows(NamedTuple):
    """Rows of mostly zeros: row i holds `weights[starts[i]:starts[i + 1]]` at `columns[...]`."""

    starts: Ints
    columns: Ints
    weights: Floats


def divide_by_largest(squares: Matrix, largest: Matrix) -> None:
    """Divides squared distances, in place, by the largest of their row, unless that is 0."""
    np.divide(squares, np.where(largest == 0, np.float32(1), largest), out=squares)


def expanded(top: Index, half: int) -> tuple[Ints, Ints]:
    """For each sample its k-reciprocal set, widened by the half-size sets that mostly lie in it.

    Args:
        top: (n, k) the nearest of each sample, itself counted, nearest first.
        half: Width of a half-size neighbourhood.

    Returns:
        Where each set starts, (n + 1,), and the members of all sets, ascending within each.
    """
    total = len(top)
    sets = _mutual(top)
    half_sets = _mutual(top[:, :half])
    sizes = np.diff(half_sets[0])
    counts, members = [np.zeros(1, dtype=np.int64)], []
    step = max(1, CHUNK_ELEMENTS // total)
    for start in range(0, total, step):
        stop = min(start + step, total)
        own = np.repeat(np.arange(stop - start), np.diff(sets[0][start : stop + 1]))
        reciprocal = sets[1][sets[0][start] : sets[0][stop]]
        inside = np.zeros((stop - start, total), dtype=np.bool_)
        inside[own, reciprocal] = True
        # Each reciprocal neighbour offers its half-size set: one entry per sample offered.
        entries = entries_of(half_sets[0], reciprocal)
        offer = np.repeat(np.arange(len(own)), sizes[reciprocal])
        receiver, offered = own[offer], half_sets[1][entries]
        shared = np.bincount(offer[inside[receiver, offered]], minlength=len(own))
        taken = (3 * shared > 2 * sizes[reciprocal])[offer]
        inside[receiver[taken], offered[taken]] = True
        found = np.flatnonzero(inside)
        members.append(found % total)
        counts.append(np.bincount(found // total, minlength=stop - start))
    return np.cumsum(np.concatenate(counts)), np.concatenate(members)


def _mutual(top: Index) -> tuple[Ints, Ints]:
    """Starts and members of sets: the neighbours of each sample that count it among theirs."""
    own = np.arange(len(top), dtype=np.int32)[:, None, None]
    step = max(1, CHUNK_ELEMENTS // top.shape[1] ** 2)
    parts = [
        (top[top[start : start + step]] == own[start : start + step]).any(axis=2)
        for start in range(0, len(top), step)
    ]
    mutual = np.concatenate(parts)
    return np.append(0, mutual.sum(axis=1).cumsum()), top[mutual].astype(np.int64)


def encoded(starts: Ints, members: Ints, distances: Matrix) -> SparseRows:
    """Each sample as weights exp(-distance) over its set, summing to 1."""
    weights = np.exp(-distances.astype(np.float64))
    ends = zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
    # One by one, since `np.add.reduceat` adds in another order than `sum` and so rounds otherwise.
    # A sample with more exact copies than k1 may have no reciprocal neighbour at all: its sum is 0.
    sums = np.array([weights[start:end].sum() for start, end in ends])
    weights /= np.repeat(sums, np.diff(starts))
    return SparseRows(starts, members, weights)


def averaged(rows: SparseRows, near: Index) -> SparseRows:
    """Each row replaced by the mean of the rows of its nearest samples, (n, k2)."""
    from scipy.sparse import csr_array

    total, width = near.shape
    if width == 1 or len(rows.columns) == 0:
        return rows
    size = (total, total)
    pick = csr_array(
        (np.ones(near.size), near.ravel(), np.arange(0, near.size + 1, width)), shape=size
    )
    mean = pick @ csr_array((rows.weights, rows.columns, rows.starts), shape=size)
    mean.sort_indices()
    return SparseRows(
        mean.indptr.astype(np.int64), mean.indices.astype(np.int64), mean.data / width
    )


class Overlaps:
    """Jaccard distances of query rows to gallery rows: 1 - sum of minima / sum of maxima."""

    def __init__(self, rows: SparseRows, queries: int) -> None:
        self._rows = rows
        self._gallery = len(rows.starts) - 1 - queries
        owner = np.repeat(np.arange(-queries, self._gallery), np.diff(rows.starts))
        first = rows.starts[queries]
        # The gallery by column, so that a query only meets the samples it shares a member with.
        order = first + np.argsort(rows.columns[first:], kind="stable")
        self._sizes = np.bincount(rows.columns[first:], minlength=queries + self._gallery)
        self._by_column = SparseRows(
            np.append(0, self._sizes.cumsum()), owner[order], rows.weights[order]
        )

    def distances(self, start: int, stop: int) -> Matrix:
        """Those of queries start to stop: (stop - start, g) float32."""
        part = slice(self._rows.starts[start], self._rows.starts[stop])
        columns = self._rows.columns[part]
        sizes = np.diff(self._rows.starts[start : stop + 1])
        place = np.repeat(np.arange(stop - start) * self._gallery, sizes)
        entries = entries_of(self._by_column.starts, columns)
        mine = np.repeat(self._rows.weights[part], self._sizes[columns])
        least = np.minimum(mine, self._by_column.weights[entries])
        cells = np.repeat(place, self._sizes[columns]) + self._by_column.columns[entries]
        shape = (stop - start, self._gallery)
        shared = np.bincount(cells, weights=least, minlength=shape[0] * shape[1])
        # Both rows sum to 1, hence the maxima sum to 2 minus the minima.
        return (1 - shared / (2 - shared)).reshape(shape).astype(np.float32)


def entries_of(starts: Ints, which: NDArray[np.integer[Any]]) -> Ints:
    """Positions of the entries of several sparse rows, one row after the other."""
    begin, size = starts[which], starts[which + 1] - starts[which]
    before = np.cumsum(size) - size
    shift: Ints = np.repeat(begin - before, size)
    return np.arange(len(shift)) + shift
