"""Re-ranking by k-reciprocal neighbours (Zhong et al., CVPR 2017)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.base.errors import ScoringError, UnknownNameError
from harness.base.threads import blas_threads, spread
from harness.rerank.descriptors import Descriptors
from harness.rerank.nearest import Nearest, indices_of, of_rows
from harness.rerank.neighbourhoods import (
    Overlaps,
    averaged,
    divide_by_largest,
    encoded,
    expanded,
)
from harness.rerank.survey import survey
from harness.scoring.distances import checked_sides

Matrix = NDArray[np.float32]
Index = NDArray[np.int32]
Ints = NDArray[np.int64]
Reals = NDArray[np.floating[Any]]
Distance = Literal["euclidean", "squared_euclidean"]

_CHUNK_ELEMENTS = 1 << 22
_LARGEST = float(np.sqrt(np.finfo(np.float32).max))


class Blocks(NamedTuple):
    """The three parts of the symmetric distance matrix over queries, then gallery: float32."""

    query_gallery: Matrix
    query_query: Matrix
    gallery_gallery: Matrix


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
    queries, total = len(blocks.query_query), sum(blocks.query_gallery.shape)
    nearest = Nearest(total, min(max(k1 + 1, k2), total))
    largest = np.empty(total, dtype=np.float32)
    for start, rows in _squared_rows(blocks):
        part = slice(start, start + len(rows))
        largest[part] = rows.max(axis=1)
        divide_by_largest(rows, largest[part, None])
        nearest.add(of_rows(rows, nearest.limits[part], nearest.keys.shape[1], start, 0))

    def distances_at(samples: Ints, others: Ints) -> Matrix:
        values = _entries(blocks, samples, others)
        values *= values
        divide_by_largest(values, largest[samples])
        return values

    original = blocks.query_gallery * blocks.query_gallery
    divide_by_largest(original, largest[:queries, None])
    return _reranked(original, indices_of(nearest.keys), distances_at, k1, k2, lambda_value)


def k_reciprocal_features(
    query: ArrayLike,
    gallery: ArrayLike,
    k1: int = 20,
    k2: int = 6,
    lambda_value: float = 0.3,
    distance: Distance = "euclidean",
    memory_mib: int | None = None,
    device: str = "cpu",
) -> Matrix:
    """`k_reciprocal` from descriptors, without ever holding distances of gallery to gallery.

    Distances are computed in strips, in float64, and rounded to float32 like those of
    `harness.scoring.distances`. Of each strip only the nearest of every sample, the largest
    distance, and what leads from query to gallery is kept.

    Args:
        query: (q, d) finite real numbers.
        gallery: (g, d) finite real numbers.
        k1: See `k_reciprocal`.
        k2: See `k_reciprocal`.
        lambda_value: See `k_reciprocal`.
        distance: Which distances `k_reciprocal` would be passed; either is squared there.
        memory_mib: About how much memory strips may take, beside the (q, g) result and sparse
            rows of some hundred numbers per sample. More lets more threads work. None is 128, and
            on a GPU half of what is free there.
        device: Where strips are computed: `cpu`, with at most as many threads as NumPy's matrix
            product has, or a device of torch with float64, such as `cuda`.

    Returns:
        (q, g) float32, as `k_reciprocal` returns.

    Raises:
        FeaturesError: A side is no finite real matrix, or their widths differ.
        ScoringError: No samples, descriptors too long to square their distances in float32, a
            GPU too small for the descriptors, or a setting out of range.
        UnknownNameError: The distance does not exist.
    """
    _check_settings(k1, k2, lambda_value)
    if distance not in get_args(Distance):
        raise UnknownNameError("distance", str(distance), get_args(Distance))
    descriptors = Descriptors(*_checked_sides(query, gallery))
    _check_lengths(float(descriptors.norms.max()), distance)
    found = survey(descriptors, max(k1 + 1, k2), distance == "euclidean", memory_mib, device)
    return _reranked(found.query_gallery, found.top(), found.distances_at, k1, k2, lambda_value)


def _reranked(
    original: Matrix,
    top: Index,
    distances_at: Callable[[Ints, Ints], Matrix],
    k1: int,
    k2: int,
    lambda_value: float,
) -> Matrix:
    """The result, written over the normalised distances of query to gallery, (q, g).

    Args:
        original: (q, g) normalised distances.
        top: (n, k) the nearest samples of every sample, itself included, nearest first.
        distances_at: Normalised distances from some samples to others, one by one.
        k1: See `k_reciprocal`.
        k2: See `k_reciprocal`.
        lambda_value: See `k_reciprocal`.
    """
    queries, gallery = original.shape
    starts, members = expanded(top[:, : k1 + 1], round(k1 / 2) + 1)
    owners = np.repeat(np.arange(len(top)), np.diff(starts))
    rows = encoded(starts, members, distances_at(owners, members))
    overlaps = Overlaps(averaged(rows, top[:, :k2]), queries)
    step = max(1, (_CHUNK_ELEMENTS >> 4) // gallery)

    def blend(start: int) -> None:
        part = original[start : start + step]
        part *= np.float32(lambda_value)
        part += np.float32(1 - lambda_value) * overlaps.distances(start, start + len(part))

    spread(blend, range(0, queries, step), blas_threads())
    return original


def _squared_rows(blocks: Blocks) -> Iterator[tuple[int, Matrix]]:
    """The rows over queries and gallery, squared, in chunks.

    In float32, because that is where the engine that published numbers come from rounds; in
    chunks, because the whole matrix would double the memory.
    """
    across, within, gallery = blocks
    queries, total = across.shape[0], sum(across.shape)
    step = max(1, _CHUNK_ELEMENTS // total)
    for start in [*range(0, queries, step), *range(queries, total, step)]:
        if start < queries:
            end = min(start + step, queries)
            rows = np.concatenate([within[start:end], across[start:end]], axis=1)
        else:
            part = slice(start - queries, start - queries + step)
            rows = np.concatenate([across[:, part].T, gallery[part]], axis=1)
        rows *= rows
        yield start, rows


def _entries(blocks: Blocks, samples: Ints, others: Ints) -> Matrix:
    """Distances from samples to others, one by one."""
    across, within, gallery = blocks
    queries = len(within)
    out = np.empty(len(samples), dtype=np.float32)
    own, other = samples < queries, others < queries
    for block, chosen, down, right in (
        (within, own & other, 0, 0),
        (across, own & ~other, 0, queries),
        (across.T, ~own & other, queries, 0),
        (gallery, ~own & ~other, queries, queries),
    ):
        out[chosen] = block[samples[chosen] - down, others[chosen] - right]
    return out


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
            "compute all three with harness.scoring.distances.squared_euclidean",
        )
    for name, block in blocks._asdict().items():
        if not (abs(block.max()) < _LARGEST and abs(block.min()) < _LARGEST):
            raise ScoringError(
                f"{name} distances from {block.min()} to {block.max()}",
                f"finite distances below {_LARGEST:.1e}, whose squares float32 can hold",
                "look for NaN or huge values in the features, or normalise them",
            )
    return blocks


def _checked_sides(query: ArrayLike, gallery: ArrayLike) -> tuple[Reals, Reals]:
    left, right = checked_sides(query, gallery)
    if not (len(left) and len(right)):
        raise ScoringError(
            f"{len(left)} query and {len(right)} gallery descriptors",
            "at least one of each",
            "look at the protocol: it may leave a side empty",
        )
    return left, right


def _check_lengths(squared: float, distance: Distance) -> None:
    """The distance of two descriptors is at most the sum of their lengths."""
    largest = 2 * squared**0.5 if distance == "euclidean" else 4 * squared
    if not largest < _LARGEST:
        raise ScoringError(
            f"descriptors of length up to {squared**0.5:.1e}",
            f"{distance} distances below {_LARGEST:.1e}, whose squares float32 can hold",
            "look for huge values in the features, or normalise them",
        )
