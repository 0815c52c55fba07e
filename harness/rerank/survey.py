"""What re-ranking needs to know of all distances among descriptors, found strip by strip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.rerank.descriptors import Descriptors
from harness.rerank.nearest import Found, Nearest, distances_of, indices_of, keys_of
from harness.rerank.neighbourhoods import divide_by_largest, entries_of
from harness.rerank.outcome import Outcome
from harness.rerank.strips import outcomes

Matrix = NDArray[np.float32]
Index = NDArray[np.int32]
Ints = NDArray[np.int64]

# Squaring and dividing in float32 makes some neighbouring distances equal; this many neighbours
# more than asked for are found by distance, so that those then go by index, too.
_SPARE = 8


@dataclass(frozen=True)
class Survey:
    """Neighbours, largest distances, and those from query to gallery.

    Attributes:
        descriptors: What was surveyed.
        nearest: The nearest distinct descriptors of each, by squared distance.
        largest: (u,) the largest distance from each distinct descriptor.
        query_gallery: (q, g) normalised distances.
        plain: Whether the plain distance is squared and normalised, or the squared one.
        k: How many neighbours were asked for.
    """

    descriptors: Descriptors
    nearest: Nearest
    largest: Matrix
    query_gallery: Matrix
    plain: bool
    k: int

    def top(self) -> Index:
        """The k nearest samples of every sample, by normalised distance, then index: (n, k)."""
        copy_of, keys = self.descriptors.copy_of, self.nearest.keys
        starts, samples = _first_copies(copy_of, self.k)
        copies = entries_of(starts, neighbours := indices_of(keys).ravel())
        counts = np.diff(starts)[neighbours]
        distances = normalised(distances_of(keys), self.largest[:, None], self.plain)
        found = keys_of(distances.ravel().repeat(counts), samples[copies])
        owners = np.repeat(np.arange(len(keys)), keys.shape[1]).repeat(counts)
        by_sample = Nearest(len(keys), min(self.k, len(copy_of)))
        by_sample.add(Found(owners, found))
        return indices_of(by_sample.keys)[copy_of]

    def distances_at(self, samples: Ints, others: Ints) -> Matrix:
        """Normalised distances from samples to others, one by one."""
        own = self.descriptors.copy_of[samples]
        squared = self._squared_at(own, self.descriptors.copy_of[others])
        return normalised(squared, self.largest[own], self.plain)

    def _squared_at(self, left: Ints, right: Ints) -> Matrix:
        """Those among the nearest of either side are known; the others are computed."""
        total, width = self.nearest.keys.shape
        known = np.repeat(np.arange(total), width) * total + indices_of(self.nearest.keys).ravel()
        order = np.argsort(known)
        known, values = known[order], distances_of(self.nearest.keys).ravel()[order]
        out = np.empty(len(left), dtype=np.float32)
        missing = np.ones(len(left), dtype=np.bool_)
        for a, b in ((left, right), (right, left)):
            wanted = a[missing] * total + b[missing]
            place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
            hit = known[place] == wanted
            found = np.flatnonzero(missing)[hit]
            out[found] = values[place[hit]]
            missing[found] = False
        pairs = np.minimum(left, right)[missing] * total + np.maximum(left, right)[missing]
        once, which = np.unique(pairs, return_inverse=True)
        out[missing] = self.descriptors.pairs(*np.divmod(once, total))[which]
        return out


def survey(
    descriptors: Descriptors, k: int, plain: bool, memory_mib: int | None, device: str
) -> Survey:
    """Goes once over all distances.

    Args:
        descriptors: Of queries and gallery.
        k: How many neighbours of each sample are wanted.
        plain: Whether the plain distance is squared and normalised, or the squared one.
        memory_mib: About how much memory may be used on the way, see `k_reciprocal_features`.
        device: `cpu` or a device of torch.
    """
    total = len(descriptors.firsts)
    queries, samples = descriptors.sides
    nearest = Nearest(total, min(k + _SPARE, total))
    largest = np.zeros(total, dtype=np.float32)
    query_gallery = np.empty((queries, samples - queries), dtype=np.float32)
    for found in outcomes(descriptors, nearest, memory_mib, device):
        own, after = slice(found.strip.start, found.strip.stop), slice(found.strip.after, None)
        nearest.add(found.nearest)
        nearest.add(found.nearest_after)
        largest[own] = np.maximum(largest[own], found.largest)
        largest[after] = np.maximum(largest[after], found.largest_after)
        if found.values is not None:
            _place(query_gallery, found, descriptors, plain, largest[own])
    return Survey(descriptors, nearest, largest, query_gallery, plain, k)


def _first_copies(copy_of: Ints, k: int) -> tuple[Ints, Ints]:
    """The first k samples of each distinct descriptor, more cannot be near: starts and samples."""
    order = np.argsort(copy_of, kind="stable")
    counts = np.bincount(copy_of)
    place = np.arange(len(order)) - np.repeat(counts.cumsum() - counts, counts)
    return np.append(0, np.minimum(counts, k).cumsum()), order[place < k]


def _place(
    query_gallery: Matrix, found: Outcome, descriptors: Descriptors, plain: bool, largest: Matrix
) -> None:
    """Writes the normalised distances of a strip to every query that has one of its descriptors."""
    assert found.values is not None
    queries = len(query_gallery)
    place = descriptors.copy_of[:queries] - found.strip.start
    rows = np.flatnonzero((place >= 0) & (place < len(largest)))
    columns = descriptors.copy_of[queries:]
    for row in rows:
        at = place[row]
        query_gallery[row] = normalised(found.values[at][columns], largest[at : at + 1], plain)


def normalised(squared: Matrix, largest: Matrix, plain: bool) -> Matrix:
    """Distances squared and divided by their row's largest square, rounded as `k_reciprocal` does.

    Args:
        squared: Squared Euclidean distances.
        largest: The largest of the rows they come from; shapes broadcast.
        plain: Whether the plain distance is squared, or once more the squared one.
    """
    values, bound = (np.sqrt(squared), np.sqrt(largest)) if plain else (squared, largest)
    squares = values * values
    divide_by_largest(squares, bound * bound)
    return squares
