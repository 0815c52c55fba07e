"""Distances between descriptors, such that equal descriptors tie on every machine."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import FeaturesError, UnknownNameError

Kind = Literal["squared_euclidean", "cosine"]
Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]
Reals = NDArray[np.floating[Any]]


def squared_euclidean(query: ArrayLike, gallery: ArrayLike, chunk: int = 1024) -> Matrix:
    """Squared Euclidean distances, computed in float64 and rounded to float32.

    Gallery samples with identical descriptors get identical distances, so that their order is
    that of the gallery and not that of a BLAS library's rounding.

    Args:
        query: (q, d) finite real numbers.
        gallery: (g, d) finite real numbers.
        chunk: Queries handled at once; bounds the float64 memory to chunk x g.

    Returns:
        (q, g) float32, at least 0.

    Raises:
        FeaturesError: A side is no finite real matrix, or their widths differ.
    """
    left, right = _checked(query, gallery)
    return _by_chunks(left, right, "squared_euclidean", False, chunk)


def distance_matrix(
    query: ArrayLike, gallery: ArrayLike, kind: Kind, normalise: bool, chunk: int = 1024
) -> Matrix:
    """Distances of the kind and normalisation that a protocol asks for.

    Args:
        query: (q, d) finite real numbers.
        gallery: (g, d) finite real numbers.
        kind: `squared_euclidean`, or `cosine` for 1 - cosine similarity.
        normalise: Scale descriptors to unit length first; `cosine` does so anyway. A descriptor of
            zeros stays as it is, and so has a cosine distance of 1 to everything.
        chunk: Queries handled at once; bounds the float64 memory to chunk x g.

    Returns:
        (q, g) float32, at least 0; `cosine` is at most 2.

    Raises:
        UnknownNameError: The kind does not exist.
        FeaturesError: A side is no finite real matrix, or their widths differ.
    """
    if kind not in get_args(Kind):
        raise UnknownNameError("distance", str(kind), get_args(Kind))
    left, right = _checked(query, gallery)
    return _by_chunks(left, right, kind, normalise or kind == "cosine", chunk)


def _by_chunks(query: Reals, gallery: Reals, kind: Kind, unit: bool, chunk: int) -> Matrix:
    # BLAS rounds two equal columns differently, depending on where they lie in the matrix. Rounding
    # float64 to float32 hides that between machines, but not where query and gallery descriptor
    # agree and the sum cancels to 0 for one copy and 1e-14 for the next; hence each distinct
    # gallery descriptor is computed once.
    distinct, copy_of = _distinct(gallery)
    right = _as_float64(distinct, unit)
    norms = np.einsum("ij,ij->i", right, right)
    out = np.empty((len(query), len(gallery)), dtype=np.float32)
    for start in range(0, len(query), chunk):
        left = _as_float64(query[start : start + chunk], unit)
        values = left @ right.T
        if kind == "cosine":
            np.subtract(1.0, values, out=values)
            np.clip(values, 0.0, 2.0, out=values)
        else:
            values *= -2.0
            values += np.einsum("ij,ij->i", left, left)[:, None]
            values += norms
            np.maximum(values, 0.0, out=values)
        out[start : start + chunk] = values.astype(np.float32)[:, copy_of]
    return out


def _distinct(rows: Reals) -> tuple[Reals, NDArray[np.intp]]:
    """The distinct rows of (g, d), and for each row which of them it is, (g,)."""
    seen: dict[bytes, int] = {}
    # Adding zero turns -0.0 into 0.0, which are equal but differ in their bytes.
    first_alike = [seen.setdefault((row + 0.0).tobytes(), i) for i, row in enumerate(rows)]
    firsts, copy_of = np.unique(np.asarray(first_alike, dtype=np.intp), return_inverse=True)
    return rows[firsts], copy_of


def _as_float64(rows: Reals, unit: bool) -> Floats:
    wide = rows.astype(np.float64)
    if unit:
        lengths = np.linalg.norm(wide, axis=1, keepdims=True)
        wide /= np.where(lengths > 0, lengths, 1.0)
    return wide


def _checked(query: ArrayLike, gallery: ArrayLike) -> tuple[Reals, Reals]:
    left, right = _features("query", query), _features("gallery", gallery)
    if left.shape[1] != right.shape[1]:
        raise FeaturesError(
            f"query descriptors of width {left.shape[1]}, gallery of width {right.shape[1]}",
            "the same width on both sides",
            "embed both sides with the same weights and the same method configuration",
        )
    return left, right


def _features(side: str, value: ArrayLike) -> Reals:
    array = np.asarray(value)
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise FeaturesError(
            f"{side} descriptors of shape {array.shape} and type {array.dtype}",
            "a real matrix, one row per sample",
            "stack the descriptors to (samples, width)",
        )
    bad = ~np.isfinite(array).all(axis=1)
    if bad.any():
        raise FeaturesError(
            f"{bad.sum()} of {len(array)} {side} descriptors are not finite, "
            f"first in row {bad.argmax()}",
            "finite numbers",
            "look at the training's loss: it may have diverged; if not, embed again in float32",
        )
    return array
