"""Means over horizontal stripes of a map, in one order of adding wherever that is asked for."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def stripe_means(maps: Tensor, parts: int) -> Tensor:
    """(n, channels, parts, 1), the stripes from top to bottom, of maps (n, channels, h, w).

    As `adaptive_avg_pool2d(maps, (parts, 1))`: where `parts` does not divide h, neighbours share
    a line. On a GPU torch has no way back through it that always adds in the same order, so in
    exact mode each stripe is cut out there and averaged by itself.
    """
    if maps.is_cuda and torch.are_deterministic_algorithms_enabled():
        return _one_by_one(maps, parts)
    return functional.adaptive_avg_pool2d(maps, (parts, 1))


def _one_by_one(maps: Tensor, parts: int) -> Tensor:
    h = maps.shape[2]
    ends = [(i * h // parts, -(-(i + 1) * h // parts)) for i in range(parts)]
    means = [maps[:, :, top:bottom].mean((2, 3)) for top, bottom in ends]
    return torch.stack(means, 2).unsqueeze(3)
