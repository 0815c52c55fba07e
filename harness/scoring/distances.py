"""Distances between descriptors, such that equal descriptors tie on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.base.errors import FeaturesError, UnknownNameError
from harness.base.threads import one_blas_thread, spread

Kind = Literal["squared_euclidean", "cosine"]
Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Reals = NDArray[np.floating[Any]]

TILE = 64
"""Queries in one matrix product. What BLAS makes of a query depends, in the last bits, on where it
lies in the product: parts of the queries that are cut at multiples of this give the same digits."""

# A tile of gallery descriptors in float64 has at most so many numbers (8 MB), or as many rows.
_TILE_ELEMENTS, _TILE_COLUMNS = 1 << 20, 4096

# The queries for which a gallery tile is widened to float64 once.
_ROWS = 4 * TILE


def squared_euclidean(query: ArrayLike, gallery: ArrayLike) -> Matrix:
    """Squared Euclidean distances, computed in float64 and rounded to float32.

    Gallery samples with identical descriptors get identical distances, so that their order is
    that of the gallery and not that of a BLAS library's rounding.

    Args:
        query: (q, d) finite real numbers.
        gallery: (g, d) finite real numbers.

    Returns:
        (q, g) float32, at least 0.

    Raises:
        FeaturesError: A side is no finite real matrix, or their widths differ.
    """
    return distance_matrix(query, gallery, "squared_euclidean", normalise=False)


def distance_matrix(query: ArrayLike, gallery: ArrayLike, kind: Kind, normalise: bool) -> Matrix:
    """Distances of the kind and normalisation that a protocol asks for.

    Args:
        query: (q, d) finite real numbers.
        gallery: (g, d) finite real numbers.
        kind: `squared_euclidean`, or `cosine` for 1 - cosine similarity.
        normalise: Scale descriptors to unit length first; `cosine` does so anyway. A descriptor of
            zeros stays as it is, and so has a cosine distance of 1 to everything.

    Returns:
        (q, g) float32, at least 0; `cosine` is at most 2.

    Raises:
        UnknownNameError: The kind does not exist.
        FeaturesError: A side is no finite real matrix, or their widths differ.
    """
    left, searched = checked(query, gallery, kind, normalise)
    out = np.empty((len(left), len(searched)), dtype=np.float32)

    def fill(start: int) -> None:
        rows = slice(start, start + _ROWS)
        out[rows] = searched.spread_out(searched.distances(left[rows]))

    with one_blas_thread() as threads:
        spread(fill, range(0, len(left), _ROWS), threads)
    return out


class Searched:
    """A gallery's descriptors made ready for the distances from any queries to them.

    BLAS rounds two equal columns differently, depending on where they lie in the matrix. Rounding
    float64 to float32 hides that between machines, but not where query and gallery descriptor
    agree and the sum cancels to 0 for one copy and 1e-14 for the next; hence each distinct
    descriptor is computed once.

    Attributes:
        firsts: (u,) gallery index of each distinct descriptor, ascending.
        copy_of: (g,) which of them each gallery sample has; None where all differ.
        kind: Of distance.
        unit: Whether descriptors are scaled to unit length.
    """

    def __init__(self, gallery: Reals, kind: Kind, unit: bool) -> None:
        self._gallery = gallery
        self.firsts, self.copy_of = distinct(gallery)
        self.kind, self.unit = kind, unit
        self.lengths, self.norms = np.ones((2, len(self.firsts)))
        for tile in self.tiles():
            wide = self.rows(tile).astype(np.float64)
            if unit:
                self.lengths[tile] = _lengths(wide)
                wide /= self.lengths[tile, None]
            self.norms[tile] = _squares(wide)

    def __len__(self) -> int:
        """How many gallery samples there are."""
        return len(self._gallery)

    @property
    def shape(self) -> tuple[int, int]:
        """How many distinct descriptors there are, and how many numbers each has."""
        return len(self.firsts), self._gallery.shape[1]

    @property
    def nbytes(self) -> int:
        """What the distinct descriptors take, as they were given."""
        count, width = self.shape
        return count * width * self._gallery.itemsize

    def tiles(self) -> Iterator[slice]:
        """The distinct descriptors, cut for matrix products; the cut depends on nothing else."""
        step = min(_TILE_COLUMNS, max(TILE, _TILE_ELEMENTS // max(1, self._gallery.shape[1])))
        for start in range(0, len(self.firsts), step):
            yield slice(start, min(start + step, len(self.firsts)))

    def rows(self, tile: slice) -> Reals:
        """Distinct descriptors as they were given."""
        return self._gallery[tile if self.copy_of is None else self.firsts[tile]]

    def distances(self, query: Reals) -> Matrix:
        """From queries (r, d) to the distinct descriptors, (r, u)."""
        out = np.empty((len(query), len(self.firsts)), dtype=np.float32)
        parts = [slice(start, start + TILE) for start in range(0, len(query), TILE)]
        lefts = [self.wide_queries(query[part]) for part in parts]
        for tile in self.tiles():
            right = self.rows(tile).astype(np.float64)
            if self.unit:
                right /= self.lengths[tile, None]
            for part, left in zip(parts, lefts, strict=True):
                values = left @ right.T
                if self.kind == "cosine":
                    np.subtract(1.0, values, out=values)
                    np.clip(values, 0.0, 2.0, out=values)
                else:
                    values *= -2.0
                    values += _squares(left)[:, None]
                    values += self.norms[tile]
                    np.maximum(values, 0.0, out=values)
                out[part, tile] = values
        return out

    def wide_queries(self, query: Reals) -> Floats:
        """Queries (r, d) in float64, scaled as the gallery is."""
        wide = query.astype(np.float64)
        return wide / _lengths(wide)[:, None] if self.unit else wide

    def spread_out(self, distances: Matrix) -> Matrix:
        """From (r, u) to (r, g): each gallery sample has its descriptor's distance."""
        return distances if self.copy_of is None else distances[:, self.copy_of]


def checked(
    query: ArrayLike, gallery: ArrayLike, kind: Kind, normalise: bool
) -> tuple[Reals, Searched]:
    """The queries and the gallery of a distance, if they fit; see `distance_matrix`."""
    if kind not in get_args(Kind):
        raise UnknownNameError("distance", str(kind), get_args(Kind))
    left, right = checked_sides(query, gallery)
    return left, Searched(right, kind, normalise or kind == "cosine")


def checked_sides(query: ArrayLike, gallery: ArrayLike) -> tuple[Reals, Reals]:
    """Descriptors of both sides as real matrices of one width.

    Raises:
        FeaturesError: A side is no finite real matrix, or their widths differ.
    """
    left, right = _features("query", query), _features("gallery", gallery)
    if left.shape[1] != right.shape[1]:
        raise FeaturesError(
            f"query descriptors of width {left.shape[1]}, gallery of width {right.shape[1]}",
            "the same width on both sides",
            "embed both sides with the same weights and the same method configuration",
        )
    return left, right


def distinct(rows: Reals) -> tuple[Ints, Ints | None]:
    """The first of each kind among the rows of (g, d), and of which kind each row is.

    Returns:
        (u,) indices, ascending, and (g,) numbers below u, or None where all rows differ.
    """
    codes = np.concatenate([_codes(rows[part]) for part in _parts(*rows.shape)])
    _, first, kind = np.unique(codes, return_index=True, return_inverse=True)
    alike = first[kind]
    # Equal rows have equal codes; that rows of equal codes are equal is seen by comparing them.
    again = np.flatnonzero(alike != np.arange(len(rows)))
    equal = [
        (rows[again[part]] == rows[alike[again[part]]]).all(axis=1)
        for part in _parts(len(again), rows.shape[1])
    ]
    seen: dict[bytes, int] = {}
    for i in again[~np.concatenate(equal)].tolist():
        alike[i] = seen.setdefault((rows[i] + 0.0).tobytes(), i)
    firsts, copy_of = np.unique(alike, return_inverse=True)
    return firsts, None if len(firsts) == len(rows) else copy_of


def _codes(rows: Reals) -> NDArray[np.uint64]:
    """(n,) 64 bits of each row, the same for equal rows: the sum of its numbers' bits, weighed."""
    # Adding zero turns -0.0 into 0.0, which are equal but differ in their bytes.
    bits = (rows.astype(np.float64) + 0.0).view(np.uint64)
    weights = np.random.default_rng(0).integers(1, 1 << 63, rows.shape[1], dtype=np.uint64)
    codes: NDArray[np.uint64] = bits @ (2 * weights + 1)
    return codes


def _squares(wide: Floats) -> Floats:
    """(n,) squared lengths of rows."""
    squares: Floats = np.einsum("ij,ij->i", wide, wide)
    return squares


def _lengths(wide: Floats) -> Floats:
    """(n,) lengths of rows, 1 for a row of zeros, which so stays as it is."""
    lengths = np.linalg.norm(wide, axis=1)
    return np.where(lengths > 0, lengths, 1.0)


def _parts(count: int, width: int) -> Iterator[slice]:
    """Slices of `count` rows that together have some MB; at least one, which may be empty."""
    step = max(1, _TILE_ELEMENTS // max(1, width))
    for start in range(0, max(1, count), step):
        yield slice(start, start + step)


def _features(side: str, value: ArrayLike) -> Reals:
    array = np.asarray(value)
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise FeaturesError(
            f"{side} descriptors of shape {array.shape} and type {array.dtype}",
            "a real matrix, one row per sample",
            "stack the descriptors to (samples, width)",
        )
    if not array.shape[1]:
        raise FeaturesError(
            f"{side} descriptors of width 0, which are all alike",
            "at least one number for each sample",
            "look at what wrote them: nothing was kept of the descriptors",
        )
    squares = [_squares(array[part].astype(np.float64)) for part in _parts(*array.shape)]
    bad = ~np.isfinite(np.concatenate(squares))
    if bad.any():
        raise FeaturesError(
            f"{bad.sum()} of {len(array)} {side} descriptors have no finite length, "
            f"first in row {bad.argmax()}",
            "finite numbers, below 1e150",
            "look at the training's loss: it may have diverged; if not, embed again in float32",
        )
    return array
