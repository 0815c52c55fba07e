"""CDA: class and text tokens ask patches that are sampled at learned places."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.spec.modality import Modality

_KERNEL, _STRIDE = 4, 2
SHARED = "all"
"""The name of offsets that all modalities share."""


def sampled(size: int) -> int:
    """How many places a map of so many patches along one axis is sampled at."""
    return (size - _KERNEL) // _STRIDE + 1


class DeformableAggregation(nn.Module):
    """Each of several vectors takes from sampled patches of all modalities what is like it.

    The places lie on a coarse map, moved by offsets that the patches themselves give. A place
    before its offset is the middle of its 4 x 4 window as the authors count it, half a patch
    beyond the true one. Sampling is bilinear, corners aligned. Attention has one head.

    Args:
        modalities: Of the run.
        width: d of all vectors.
        grid: (h, w) patches.
        shared: One offset map for all modalities, of their patches side by side, with an offset
            for each axis; otherwise each has its own, with one for both axes.
        factor: How far the places may move, in steps between them.
    """

    def __init__(
        self,
        modalities: tuple[Modality, ...],
        width: int,
        grid: tuple[int, int],
        shared: bool,
        factor: float,
    ) -> None:
        super().__init__()
        self.grid, self.factor, self.shared = grid, factor, shared
        self.coarse = (sampled(grid[0]), sampled(grid[1]))
        own: tuple[str, ...] = (SHARED,) if shared else modalities
        entering = width * (len(modalities) if shared else 1)
        self.offsets = nn.ModuleDict({name: _offsets(entering, width, 1 + shared) for name in own})
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, asking: Tensor, maps: Mapping[Modality, Tensor]) -> Tensor:
        """(n, k, d) of the vectors that ask, (n, k, d), and the patches, each (n, d, h, w)."""
        places = self.places(maps)
        seen = torch.cat([_at(patches, places[m]) for m, patches in maps.items()], 1)
        found = functional.scaled_dot_product_attention(
            self.query(asking), self.key(seen), self.value(seen)
        )
        answered: Tensor = asking + self.out(found)
        return answered

    def places(self, maps: Mapping[Modality, Tensor]) -> dict[Modality, Tensor]:
        """Where each modality is sampled, (n, h', w', 2) x and y from -1 to 1, at least float32."""
        if self.shared:
            together = self._moved(self.offsets[SHARED](torch.cat(list(maps.values()), 1)))
            return dict.fromkeys(maps, together)
        return {m: self._moved(self.offsets[m](patches)) for m, patches in maps.items()}

    def _moved(self, offset: Tensor) -> Tensor:
        # Places in half precision would be some hundredths of the map off.
        offset = offset.to(torch.promote_types(offset.dtype, torch.float32)).tanh() * self.factor
        (rows, columns), (h, w) = self.coarse, self.grid
        down = _middles(rows, h, offset)[:, None] + offset[:, 0] / (rows - 1)
        across = _middles(columns, w, offset) + offset[:, -1] / (columns - 1)
        return torch.stack([across, down], -1).clamp(-1, 1)


def _offsets(entering: int, width: int, axes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(entering, width, 1),
        nn.GELU(),
        nn.Conv2d(width, width, _KERNEL, _STRIDE, groups=width),
        nn.GELU(),
        nn.Conv2d(width, axes, 1, bias=False),
    )


def _middles(count: int, size: int, like: Tensor) -> Tensor:
    """Where the windows along one axis of `size` patches are, from -1 to 1."""
    at = torch.arange(count, dtype=like.dtype, device=like.device) * _STRIDE + _KERNEL // 2
    return at / (size - 1) * 2 - 1


def _at(patches: Tensor, places: Tensor) -> Tensor:
    """(n, h' * w', d), the map (n, d, h, w) at these places."""
    found = functional.grid_sample(
        patches.to(places.dtype), places, mode="bilinear", align_corners=True
    )
    return found.flatten(2).mT
