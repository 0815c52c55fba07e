"""Ranks from descriptors: the distances of some queries at a time, never all of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from harness.base.threads import one_blas_thread, spread
from harness.scoring.blocks import BLOCK_ELEMENTS, Rows, blocks, joined, rank_block
from harness.scoring.distances import TILE, Reals, Searched
from harness.scoring.matches import Matches

# What a thread holds beside the distances: a gallery tile, its product, a block and its copy.
_ASIDE = 48 << 20

# For more queries than this it hardly pays that a gallery tile is widened to float64 only once.
_MOST_TILES = 8

# Queries are handed to threads in about so many lots each, so that all end at about the same time.
_LOTS = 4


class Plan(NamedTuple):
    """How the queries are cut."""

    rows: int
    """Queries whose distances are held at once by a thread, a multiple of TILE."""
    threads: int


def rank_features(
    query: Reals, searched: Searched, matches: Matches, offset: int, k: int, memory_mib: int
) -> Rows:
    """Scores queries and lists the k nearest of each.

    Args:
        query: (r, d) finite.
        searched: The gallery.
        matches: Of all queries.
        offset: Which of them `query` begins with.
        k: Length of the lists.
        memory_mib: Bound on what is held beside the descriptors, unless TILE rows of distances
            alone are more.
    """
    with one_blas_thread() as available:
        plan = planned(len(query), searched, memory_mib, available)

        def work(start: int) -> Rows:
            part = query[start : start + plan.rows]
            distances = searched.distances(part)
            found = []
            for block in blocks(len(part), len(searched)):
                whose = slice(offset + start + block.start, offset + start + block.stop)
                values = searched.spread_out(distances[block])
                found.append(rank_block(values, matches.of(whose), k))
            return joined(found)

        return joined(spread(work, range(0, max(1, len(query)), plan.rows), plan.threads))


def planned(queries: int, searched: Searched, memory_mib: int, available: int) -> Plan:
    """As many threads as there are and as many rows as the memory allows."""
    tiles = -(-queries // TILE)
    tile_bytes = TILE * len(searched.firsts) * np.dtype(np.float32).itemsize
    block_bytes = 3 * 4 * max(BLOCK_ELEMENTS, len(searched))
    budget = memory_mib << 20
    threads = max(1, min(available, tiles, budget // (tile_bytes + block_bytes + _ASIDE)))
    fit = (budget // threads - block_bytes - _ASIDE) // max(1, tile_bytes)
    return Plan(TILE * max(1, min(fit, _MOST_TILES, -(-tiles // (threads * _LOTS)))), threads)
