"""Ranks on a torch device, such as a GPU; the same as those of NumPy from the same distances."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.base.accelerator import free_bytes
from harness.scoring.blocks import Rows, floats, joined, summed
from harness.scoring.distances import TILE, Reals, Searched
from harness.scoring.matches import Found, Matches

# Sorting takes the values, their places and as much again, beside distances and their copy; then
# the sorted values and what matches.
_BYTES = 56

# Where nobody says otherwise: half of what is free on a GPU, and so much where that is not known.
_SHARE, _BUDGET = 0.5, 512 << 20

# A tile of gallery descriptors in float64 has at most so many numbers (256 MB); a block of
# distances has at most so many, which int32 can count.
_TILE_ELEMENTS, _BLOCK_ELEMENTS = 1 << 25, 1 << 30


class Plan(NamedTuple):
    """How the work is cut.

    Attributes:
        rows: Queries multiplied and ranked at once, a multiple of TILE.
        columns: Distinct gallery descriptors widened to float64 at once.
        resident: Whether the gallery lies on the device; if not, its tiles go there again for
            each block of queries.
    """

    rows: int
    columns: int
    resident: bool


def planned(queries: int, searched: Searched, memory_mib: int | None, free: int | None) -> Plan:
    """As many rows as the memory allows.

    Args:
        queries: How many there are.
        searched: The gallery.
        memory_mib: Bound on what is held beside the gallery; None for half of what is free.
        free: Bytes that are free on the device; None where that is not known.
    """
    count, width = searched.shape
    resident = free is None or searched.nbytes <= free * _SHARE
    if memory_mib is not None:
        budget = memory_mib << 20
    elif free is None:
        budget = _BUDGET
    else:
        budget = int((free - searched.nbytes * resident) * _SHARE)
    # A tile and its product are in float64, and either has a copy while it is made.
    elements = min(_TILE_ELEMENTS, budget // 64)
    columns = min(count, max(TILE, elements // max(1, width)))
    row = _BYTES * len(searched) + 16 * (columns + width)
    fit = min((budget - 16 * columns * width) // row, _BLOCK_ELEMENTS // max(1, len(searched)))
    rows = TILE * max(1, min(fit // TILE, -(-queries // TILE)))
    return Plan(rows, max(1, columns), resident)


def rank_matrix(matrix: Reals, matches: Matches, k: int, memory_mib: int, device: str) -> Rows:
    """Scores distances (q, g) without NaN and lists the k nearest of each query."""
    found = []
    for block in _blocks(len(matrix), (memory_mib << 20) // max(1, _BYTES * matrix.shape[1])):
        values = torch.from_numpy(floats(matrix[block])).to(device)
        found.append(_rank_block(values, matches.of(block), k))
    return joined(found)


def rank_features(
    query: Reals,
    searched: Searched,
    matches: Matches,
    offset: int,
    k: int,
    memory_mib: int | None,
    device: str,
) -> Rows:
    """Scores queries (r, d) from `offset` on; arguments as for `harness.scoring.features`.

    Every query, length and norm goes to the device once, and so does the gallery where it fits.
    A product is of as many queries as the memory allows.
    """
    where = torch.device(device)
    plan = planned(len(query), searched, memory_mib, free_bytes(where))
    gallery = _Gallery(searched, plan, where)
    found = []
    for block in _blocks(len(query), plan.rows):
        values = gallery.distances(searched.wide_queries(query[block]))
        whose = slice(offset + block.start, offset + block.stop)
        found.append(_rank_block(values, matches.of(whose), k))
    return joined(found)


class _Gallery:
    """A gallery's descriptors on a device, and the distances to them."""

    def __init__(self, searched: Searched, plan: Plan, device: torch.device) -> None:
        self._searched, self._plan, self._device = searched, plan, device
        self._lengths, self._norms = (
            torch.tensor(part, device=device) for part in (searched.lengths, searched.norms)
        )
        self._copy_of = (
            None
            if searched.copy_of is None
            else torch.tensor(searched.copy_of, dtype=torch.int64, device=device)
        )
        self._tiles = list(self._sent()) if plan.resident else None

    def distances(self, query: Reals) -> Tensor:
        """From queries (r, d), float64 and scaled, to the gallery: (r, g) float32."""
        left = torch.tensor(query, device=self._device)
        squares = (left * left).sum(1, keepdim=True)
        out = left.new_empty((len(left), self._searched.shape[0]), dtype=torch.float32)
        start = 0
        for given in self._tiles or self._sent():
            tile = slice(start, start + len(given))
            right = given.double()
            if self._searched.unit:
                right = right / self._lengths[tile, None]
            values = left @ right.T
            if self._searched.kind == "cosine":
                values.neg_().add_(1.0).clamp_(0.0, 2.0)
            else:
                values.mul_(-2.0).add_(squares).add_(self._norms[tile]).clamp_(min=0.0)
            out[:, tile] = values
            start = tile.stop
        return out if self._copy_of is None else out.index_select(1, self._copy_of)

    def _sent(self) -> Iterator[Tensor]:
        """The distinct descriptors as they were given, tile by tile."""
        for start in range(0, self._searched.shape[0], self._plan.columns):
            tile = slice(start, start + self._plan.columns)
            yield torch.tensor(self._searched.rows(tile), device=self._device)


def _rank_block(values: Tensor, found: Found, k: int) -> Rows:
    """As `harness.scoring.blocks.rank_block`, by a stable sort, at which a GPU is quick."""
    rows, columns, gone_rows, gone_columns = (
        torch.from_numpy(part).to(values.device) for part in found
    )
    values[gone_rows, gone_columns] = torch.nan
    order = values.argsort(dim=1, stable=True)
    place = torch.empty_like(order)
    place.scatter_(1, order, torch.arange(values.shape[1], device=values.device).expand_as(order))
    ranks = (place[rows, columns] + 1).cpu().numpy()
    ordered = values.gather(1, order)
    matches = torch.zeros_like(values, dtype=torch.bool)
    matches[rows, place[rows, columns]] = True
    # Neighbours in the ranking that are equally near, of which one matches; NaN equals nothing.
    unlike = matches[:, 1:] != matches[:, :-1]
    tied = ((ordered[:, 1:] == ordered[:, :-1]) & unlike).any(dim=1).cpu().numpy()
    kept = values.shape[1] - np.bincount(found.gone_rows, minlength=len(values))
    lists = np.full((len(values), k), -1, dtype=np.int32)
    head = order[:, :k].cpu().numpy()
    inside = np.arange(head.shape[1]) < kept[:, None]
    lists[:, : head.shape[1]][inside] = head[inside]
    return summed(ranks, found.rows, tied, lists)


def _blocks(rows: int, step: int) -> Iterator[slice]:
    """Blocks of `step` rows, or of one; at least one block."""
    for start in range(0, max(1, rows), max(1, step)):
        yield slice(start, min(start + max(1, step), rows))
