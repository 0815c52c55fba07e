"""The k nearest of every sample, gathered from parts of the distance matrix; ties by index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Keys = NDArray[np.uint64]
Ints = NDArray[np.int64]

# A part of a matrix is searched in pieces of this many distances, which stay in a core's cache.
PIECE_ELEMENTS = 1 << 20

_INFINITE = np.uint64(0x7F800000_FFFFFFFF)


class Found(NamedTuple):
    """Candidates: `keys[j]` may be among the nearest of sample `owners[j]`."""

    owners: Ints
    keys: Keys


class Nearest:
    """The k smallest keys seen so far of every owner.

    A key is one number: the bits of a distance above the index of the sample it leads to. Bits of
    float32 from 0 upwards have the order of the numbers, so sorting keys sorts by distance, then
    by index.

    Attributes:
        keys: (n, k) uint64, ascending.
        limits: (n,) float32: a new distance above its owner's limit cannot be among the k.
    """

    def __init__(self, owners: int, k: int) -> None:
        self.keys: Keys = np.full((owners, k), _INFINITE)
        self.limits: Matrix = np.full(owners, np.finfo(np.float32).max)

    def add(self, found: Found) -> None:
        """Merges candidates, whose indices must be above all that their owners have seen."""
        order = np.argsort(found.owners, kind="stable")
        owners, keys = found.owners[order], found.keys[order]
        width = self.keys.shape[1]
        while len(owners):
            touched, first, counts = np.unique(owners, return_index=True, return_counts=True)
            place = np.arange(len(owners)) - np.repeat(first, counts)
            now = place < width
            row = np.repeat(np.arange(len(touched)), counts)
            wide = np.full((len(touched), width + min(width, int(counts.max()))), _INFINITE)
            wide[:, :width] = self.keys[touched]
            wide[row[now], width + place[now]] = keys[now]
            wide.sort(axis=1)
            self.keys[touched] = wide[:, :width]
            owners, keys = owners[~now], keys[~now]
        # The next to come have higher indices, so they lose a tie with the last that is kept.
        self.limits = np.nextafter(distances_of(self.keys[:, -1]), np.float32(-np.inf))


def keys_of(distances: Matrix, indices: NDArray[np.integer[Any]]) -> Keys:
    """Distances of at least 0 and the indices they lead to, as keys."""
    bits = np.ascontiguousarray(distances).view(np.uint32).astype(np.uint64)
    keys: Keys = (bits << np.uint64(32)) | indices.astype(np.uint64)
    return keys


def distances_of(keys: Keys) -> Matrix:
    """The distances in keys."""
    return (keys >> np.uint64(32)).astype(np.uint32).view(np.float32)


def indices_of(keys: Keys) -> NDArray[np.int32]:
    """The indices in keys."""
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32).view(np.int32)


def of_rows(values: Matrix, limits: Matrix, k: int, row: int, column: int) -> Found:
    """Candidates of the rows of a part of the matrix, at least the k smallest below the limits.

    Args:
        values: (r, c) distances of at least 0.
        limits: (r,) what is above cannot be among the k nearest.
        k: How many are looked for.
        row: Index of the first row in the whole matrix.
        column: Index of the first column in the whole matrix.
    """
    found = []
    for part in pieces(len(values), values.shape[1]):
        piece = values[part]
        bounds = np.minimum(limits[part], _upper_bounds(piece, k))
        near = np.flatnonzero(piece <= bounds[:, None])
        rows, columns = np.divmod(near, piece.shape[1])
        found.append(
            Found(rows + (row + part.start), keys_of(piece.ravel()[near], columns + column))
        )
    return joined(found)


def of_columns(values: Matrix, limits: Matrix, k: int, row: int, column: int) -> Found:
    """The same of the columns, whose limits are given, (c,)."""
    found = []
    for part in pieces(values.shape[1], len(values)):
        piece = np.ascontiguousarray(values[:, part])
        bounds = limits[part]
        if bounds.max() == np.finfo(np.float32).max:
            bounds = np.minimum(bounds, _upper_bounds(piece.T, k))
        near = np.flatnonzero(piece <= bounds)
        rows, columns = np.divmod(near, piece.shape[1])
        found.append(
            Found(columns + (column + part.start), keys_of(piece.ravel()[near], rows + row))
        )
    return joined(found)


def joined(found: list[Found]) -> Found:
    """Several lots of candidates as one, or none."""
    none = Found(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint64))
    owners, keys = zip(none, *found, strict=True)
    return Found(np.concatenate(owners), np.concatenate(keys))


def pieces(count: int, width: int) -> Iterator[slice]:
    """Slices of `count` things of `width` numbers each."""
    step = max(1, PIECE_ELEMENTS // max(1, width))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def _upper_bounds(values: Matrix, k: int) -> Matrix:
    """(r,): for each row a number that at least k of its values do not exceed, mostly a close one.

    That is the k-th smallest of the minima of disjoint groups; finding it means reading the row
    once instead of partitioning it. Groups are strided, as neighbours often lie side by side.
    """
    rows, columns = values.shape
    groups = min(columns // 2, max(256, 8 * k))
    if groups < 2 * k:
        return np.full(rows, np.finfo(np.float32).max)
    size = columns // groups
    least = values[:, :groups].copy()
    for i in range(1, size):
        np.minimum(least, values[:, i * groups : (i + 1) * groups], out=least)
    least.partition(k - 1, axis=1)
    return np.ascontiguousarray(least[:, k - 1])
