"""Ranks and nearest lists of a block of queries, in NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.base.threads import blas_threads, spread
from harness.scoring.labels import Bools, Ints
from harness.scoring.matches import Found, Matches

Reals = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]
Lists = NDArray[np.int32]

# So many distances and their sorted copy stay in a core's cache.
BLOCK_ELEMENTS = 1 << 18


class Rows(NamedTuple):
    """What is known of each of some queries: arrays of one entry, or one row, per query."""

    ap: Floats
    """(r,) average precision, NaN where the query has no match."""
    inp: Floats
    """(r,) positives / rank of the last, NaN where the query has no match."""
    first_rank: Ints
    """(r,) rank of the first match, 0 where there is none."""
    tied: Bools
    """(r,) whether a match and an entry that is none are equally near, so that ties decide."""
    rank_lists: Lists
    """(r, k) gallery indices, nearest first, padded with -1."""


def rank_matrix(matrix: Reals, matches: Matches, k: int) -> Rows:
    """Scores distances (q, g) without NaN and lists the k nearest of each query."""

    def work(block: slice) -> Rows:
        return rank_block(floats(matrix[block]), matches.of(block), k)

    return joined(spread(work, list(blocks(*matrix.shape)), blas_threads()))


def blocks(rows: int, width: int) -> Iterator[slice]:
    """Rows of distances cut into blocks that stay in a core's cache; at least one."""
    step = max(1, BLOCK_ELEMENTS // max(1, width))
    for start in range(0, max(1, rows), step):
        yield slice(start, min(start + step, rows))


def floats(block: Reals) -> Reals:
    """A copy that may be overwritten and marked, with one zero instead of two."""
    return np.add(block, 0.0, dtype=np.result_type(block.dtype, np.float32))


def rank_block(values: Reals, found: Found, k: int) -> Rows:
    """Scores a block of distances and lists the k nearest.

    A match's rank is one more than the number of nearer entries, which is its place among the
    sorted values, and of equally near ones with a lower index, which are counted where there are
    any. Sorting values is what NumPy does with vector instructions: it takes as long as comparing
    the row with a dozen matches, however many there are.

    Args:
        values: (r, g) distances without NaN; overwritten.
        found: Matches and removed entries of the block.
        k: Length of the lists; 0 for none.
    """
    # No comparison with NaN is true and it sorts last, so what is removed is never counted.
    values[found.gone_rows, found.gone_columns] = np.nan
    ordered = np.sort(values, axis=1)
    wanted = values[found.rows, found.columns]
    bounds = np.searchsorted(found.rows, np.arange(len(values) + 1))
    below = np.empty(len(wanted), dtype=np.int64)
    for row, start, stop in zip(ordered, bounds[:-1], bounds[1:], strict=True):
        below[start:stop] = row.searchsorted(wanted[start:stop])
    after = np.minimum(below + 1, values.shape[1] - 1)
    alike = np.flatnonzero(ordered[found.rows, after] == wanted)
    tied = _tied(ordered, found.rows[alike], wanted[alike], below[alike])
    for i in alike.tolist():
        earlier = values[found.rows[i], : found.columns[i]]
        below[i] += np.count_nonzero(earlier == wanted[i])
    kept = values.shape[1] - np.bincount(found.gone_rows, minlength=len(values))
    lists = np.full((len(values), k), -1, dtype=np.int32)
    for i, length in enumerate(np.minimum(kept, k).tolist()):
        if length:
            near = np.flatnonzero(values[i] <= ordered[i, length - 1])
            order = np.argsort(values[i, near], kind="stable")
            lists[i, :length] = near[order[:length]]
    return summed(below + 1, found.rows, tied, lists)


def _tied(ordered: Reals, rows: Ints, wanted: Reals, below: Ints) -> Bools:
    """(r,) whether more entries of a query are as near as one of its matches than match it.

    Args:
        ordered: (r, g) sorted distances.
        rows: (m,) of matches that are as near as another entry: whose.
        wanted: (m,) their distances.
        below: (m,) how many entries are nearer.
    """
    tied = np.zeros(len(ordered), dtype=np.bool_)
    # Matches of one query that are equally near have as many entries before them.
    pairs = np.column_stack([rows, below])
    places, firsts, counts = np.unique(pairs, axis=0, return_index=True, return_counts=True)
    for (row, start), first, count in zip(places.tolist(), firsts, counts, strict=True):
        stop = ordered[row].searchsorted(wanted[first], side="right")
        tied[row] |= stop - start > count
    return tied


def summed(ranks: Ints, rows: Ints, tied: Bools, lists: Lists) -> Rows:
    """From the ranks of matches, in any order within a query, to what is kept of each query.

    Args:
        ranks: (m,) 1-based.
        rows: (m,) whose, ascending.
        tied: (r,) whether ties decide.
        lists: (r, k) of the r queries.
    """
    ranks = ranks[np.lexsort((ranks, rows))]
    ap, inp = np.full((2, len(lists)), np.nan)
    first = np.zeros(len(lists), dtype=np.int64)
    bounds = np.searchsorted(rows, np.arange(len(lists) + 1))
    places = np.arange(1, len(ranks) + 1)
    for i in np.flatnonzero(np.diff(bounds)).tolist():
        own = ranks[bounds[i] : bounds[i + 1]]
        ap[i] = np.add.reduce(places[: len(own)] / own) / len(own)
        inp[i] = len(own) / own[-1]
        first[i] = own[0]
    return Rows(ap, inp, first, tied, lists)


def joined(parts: list[Rows]) -> Rows:
    """Several lots of queries as one, in their order."""
    return Rows(*(np.concatenate(part) for part in zip(*parts, strict=True)))
