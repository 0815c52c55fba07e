"""Squared distances among the descriptors of queries and gallery, a strip at a time."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.base.threads import blas_threads, spread

Matrix = NDArray[np.float32]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Reals = NDArray[np.floating[Any]]

# Numbers in the float64 descriptors of the columns that are multiplied at once: 8 MB.
_TILE_ELEMENTS = 1 << 20


class Strip(NamedTuple):
    """Rows `start` to `stop` of the symmetric matrix over distinct descriptors, from `column` on.

    Rows of queries are whole; among the gallery, only what is right of the diagonal is computed.
    """

    start: int
    stop: int
    column: int
    after: int
    """Columns from here on have their rows later, without what this strip has for them."""


class Descriptors:
    """Descriptors of queries, then gallery, each distinct one counted once.

    Equal descriptors so get equal distances, however a BLAS library rounds; see
    `harness.scoring.distances`.

    Attributes:
        copy_of: (n,) for each sample the distinct descriptor it has; those are numbered by the
            first sample that has them.
        firsts: (u,) that first sample.
        queries: How many of the distinct descriptors belong to queries; they are the first.
        sides: How many samples are queries, and how many there are in all.
        width: Numbers per descriptor.
        tile: How many columns of a strip are multiplied at once.
        norms: (u,) squared lengths.
    """

    def __init__(self, query: Reals, gallery: Reals) -> None:
        self._query, self._gallery = query, gallery
        seen: dict[bytes, int] = {}
        common = np.result_type(query, gallery)
        rows = (row.astype(common, copy=False) for side in (query, gallery) for row in side)
        alike = [seen.setdefault(_digest(row), i) for i, row in enumerate(rows)]
        self.firsts, self.copy_of = np.unique(np.asarray(alike), return_inverse=True)
        self.sides, self.width = (len(query), len(self.copy_of)), query.shape[1]
        self.tile = int(np.clip(_TILE_ELEMENTS // max(1, self.width), 64, 512))
        self.queries = int(np.searchsorted(self.firsts, len(query)))
        step = 512
        parts = (self.wide(self.firsts[i : i + step]) for i in range(0, len(self.firsts), step))
        self.norms = np.concatenate([np.einsum("ij,ij->i", part, part) for part in parts])

    def wide(self, samples: Ints) -> Floats:
        """Descriptors of samples in float64."""
        of_query = samples < len(self._query)
        if of_query.all():
            return _taken(self._query, samples).astype(np.float64)
        if not of_query.any():
            return _taken(self._gallery, samples - len(self._query)).astype(np.float64)
        rows = np.empty((len(samples), self.width))
        rows[of_query] = self._query[samples[of_query]]
        rows[~of_query] = self._gallery[samples[~of_query] - len(self._query)]
        return rows

    def pairs(self, left: Ints, right: Ints) -> Matrix:
        """Squared distances of pairs of distinct descriptors: (p,) float32."""
        out = np.empty(len(left), dtype=np.float32)
        step = 256

        def compute(start: int) -> None:
            a, b = left[start : start + step], right[start : start + step]
            values = np.einsum("ij,ij->i", self.wide(self.firsts[a]), self.wide(self.firsts[b]))
            values *= -2.0
            values += self.norms[a]
            values += self.norms[b]
            out[start : start + step] = np.maximum(values, 0.0)

        spread(compute, range(0, len(left), step), blas_threads())
        return out

    def strips(self, rows: int) -> Iterator[Strip]:
        """All strips of at most `rows` rows, queries first."""
        for start in range(0, self.queries, rows):
            yield Strip(start, min(start + rows, self.queries), 0, self.queries)
        for start in range(self.queries, len(self.firsts), rows):
            stop = min(start + rows, len(self.firsts))
            yield Strip(start, stop, start, stop)

    def values(self, strip: Strip) -> Matrix:
        """The strip's squared distances: (rows, u - strip.column) float32."""
        left = self.wide(self.firsts[strip.start : strip.stop])
        left *= -2.0
        own = self.norms[strip.start : strip.stop, None]
        out = np.empty((len(left), len(self.firsts) - strip.column), dtype=np.float32)
        for start in range(strip.column, len(self.firsts), self.tile):
            part = slice(start, start + self.tile)
            tile = left @ self.wide(self.firsts[part]).T
            tile += own
            tile += self.norms[part]
            here = slice(start - strip.column, start - strip.column + tile.shape[1])
            np.maximum(tile, 0.0, out=out[:, here], casting="same_kind")
        diagonal = np.arange(strip.start, strip.stop)
        out[diagonal - strip.start, diagonal - strip.column] = 0.0
        return out


def _taken(side: Reals, which: Ints) -> Reals:
    """Some rows of a side: a view of it if they follow one another, which saves a copy."""
    if (np.diff(which) == 1).all():
        return side[which[0] : which[-1] + 1]
    return side[which]


def _digest(row: Reals) -> bytes:
    """The same for equal rows, in less memory than their bytes."""
    # Adding zero turns -0.0 into 0.0, which are equal but differ in their bytes.
    return blake2b((row + 0.0).tobytes(), digest_size=16).digest()
