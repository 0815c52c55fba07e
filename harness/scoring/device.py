"""Ranks on a torch device, such as a GPU; the same as those of NumPy from the same distances."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from harness.scoring.blocks import Rows, floats, joined, summed
from harness.scoring.distances import TILE, Reals, Searched
from harness.scoring.matches import Found, Matches

# Sorting takes the values, their places and as much again, beside distances and their copy.
_BYTES = 48


def rank_matrix(matrix: Reals, matches: Matches, k: int, memory_mib: int, device: str) -> Rows:
    """Scores distances (q, g) without NaN and lists the k nearest of each query."""
    found = []
    for block in _blocks(len(matrix), matrix.shape[1], memory_mib, 1):
        values = torch.from_numpy(floats(matrix[block])).to(device)
        found.append(_rank_block(values, matches.of(block), k))
    return joined(found)


def rank_features(
    query: Reals,
    searched: Searched,
    matches: Matches,
    offset: int,
    k: int,
    memory_mib: int,
    device: str,
) -> Rows:
    """Scores queries (r, d) from `offset` on; the gallery's descriptors stay on the device."""
    gallery = [torch.tensor(searched.rows(tile), device=device) for tile in searched.tiles()]
    copy_of = None if searched.copy_of is None else torch.from_numpy(searched.copy_of).to(device)
    found = []
    for block in _blocks(len(query), len(searched), memory_mib, TILE):
        values = torch.cat(
            [
                _distances(query[start : min(start + TILE, block.stop)], searched, gallery, device)
                for start in range(block.start, max(block.stop, block.start + 1), TILE)
            ]
        )
        values = values if copy_of is None else values[:, copy_of]
        whose = slice(offset + block.start, offset + block.stop)
        found.append(_rank_block(values, matches.of(whose), k))
    return joined(found)


def _distances(query: Reals, searched: Searched, gallery: list[Tensor], device: str) -> Tensor:
    """From queries (r, d) to the distinct descriptors, (r, u) float32, as NumPy computes them."""
    left = torch.from_numpy(searched.wide_queries(query)).to(device)
    squares = (left * left).sum(1, keepdim=True)
    found = []
    for tile, given in zip(searched.tiles(), gallery, strict=True):
        lengths, norms = (
            torch.from_numpy(part[tile]).to(device) for part in (searched.lengths, searched.norms)
        )
        values = left @ (given.double() / lengths[:, None]).T
        if searched.kind == "cosine":
            values = (1.0 - values).clamp_(0.0, 2.0)
        else:
            values = values.mul_(-2.0).add_(squares).add_(norms).clamp_(min=0.0)
        found.append(values.float())
    return torch.cat(found, dim=1)


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
    kept = values.shape[1] - np.bincount(found.gone_rows, minlength=len(values))
    lists = np.full((len(values), k), -1, dtype=np.int32)
    head = order[:, :k].cpu().numpy()
    inside = np.arange(head.shape[1]) < kept[:, None]
    lists[:, : head.shape[1]][inside] = head[inside]
    return summed(ranks, found.rows, lists)


def _blocks(rows: int, width: int, memory_mib: int, unit: int) -> Iterator[slice]:
    """As many rows as the memory allows, a multiple of `unit`; at least one block."""
    step = max(1, (memory_mib << 20) // max(1, _BYTES * width * unit)) * unit
    for start in range(0, max(1, rows), step):
        yield slice(start, min(start + step, rows))
