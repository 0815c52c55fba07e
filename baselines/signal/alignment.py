"""What aligns the modalities: volumes of their means (GAM), and sampled patches (LAM)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.spec.modality import Modality

_STRIDE = 4
"""Patches along each axis for one sampled point."""
_REACH = 2.0
"""How far an offset may go, in steps between sampled points."""
_SMOOTHING = 0.1


class Sampling(nn.Module):
    """A coarse map of the patches, sampled where the patches themselves say (LAM, `DAS`).

    Each point has one offset, for both axes. The points before their offsets run from half a cell
    inside the first edge to beyond the last, and are clamped, as in the authors' code.

    Args:
        width: d of the patches.
        grid: (h, w) patches.
    """

    def __init__(self, width: int, grid: tuple[int, int]) -> None:
        super().__init__()
        self.coarse = (grid[0] // _STRIDE, grid[1] // _STRIDE)
        self.query = nn.Conv2d(width, width, 1)
        self.offset = nn.Sequential(
            nn.Conv2d(width, width, 1),
            nn.GELU(),
            nn.Conv2d(width, width, _STRIDE, _STRIDE, groups=width),
            nn.GELU(),
            nn.Conv2d(width, 1, 1, bias=False),
        )

    def forward(self, patches: Tensor) -> Tensor:
        """(n, d, h / 4, w / 4) of a map (n, d, h, w), float32 or wider."""
        # Places in half precision would be some hundredths of the map off.
        kind = torch.promote_types(patches.dtype, torch.float32)
        offset = self.offset(self.query(patches))[:, 0].to(kind).tanh()
        rows, columns = self.coarse
        down = _points(rows, offset)[:, None] + offset * _REACH / (rows - 1)
        across = _points(columns, offset) + offset * _REACH / (columns - 1)
        places = torch.stack([across, down], -1).clamp(-1, 1)
        sampled: Tensor = functional.grid_sample(
            patches.to(kind), places, mode="bilinear", align_corners=True
        )
        return sampled


def _points(count: int, like: Tensor) -> Tensor:
    """Where the points of one axis are before their offsets, from -1 to a bit above 1."""
    at = torch.arange(count, dtype=like.dtype, device=like.device) + 0.5
    return at / (count - 1) * 2 - 1


def volume_loss(means: Mapping[Modality, Tensor], temperature: Tensor) -> Tensor:
    """GAM: the modalities of one image span less than those of two.

    The volume of the first modality's vector of one image and the others' of another is the root
    of their Gram determinant. Cross-entropy (smoothing 0.1) picks each image's own partner by the
    smallest, from both sides; images of the same identity count as others, as in the authors'
    code.

    Args:
        means: Each (n, d), of the whole batch; any length.
        temperature: The scalar that volumes are divided by.

    Returns:
        A scalar, float32 or wider; 0 with a single modality.
    """
    first, *others = (functional.normalize(v, dim=1) for v in means.values())
    with torch.autocast(first.device.type, enabled=False):
        kind = torch.promote_types(first.dtype, torch.float32)
        if not others:
            return first.new_zeros((), dtype=kind)
        logits = -volumes(first.to(kind), [v.to(kind) for v in others]) / temperature
        own = torch.arange(len(logits), device=logits.device)
        sides = [
            functional.cross_entropy(side, own, label_smoothing=_SMOOTHING)
            for side in (logits, logits.T)
        ]
        return (sides[0] + sides[1]) / 2


def volumes(first: Tensor, others: list[Tensor]) -> Tensor:
    """(n, n): [i, j] of what row i of `first` and row j of each other span, all (n, d)."""
    n = len(first)
    with_first = [torch.einsum("id,jd->ij", first, v) for v in others]
    rows = [[first.square().sum(1)[:, None].expand(n, n), *with_first]]
    for a, crossed in zip(others, with_first, strict=True):
        rows.append([crossed, *((a * b).sum(1).expand(n, n) for b in others)])
    gram = torch.stack([torch.stack(row, -1) for row in rows], -2)
    determinant = torch.linalg.det(gram).abs()
    # The root has no finite slope at 0, where two vectors are the same, such as of grey images.
    flat = determinant == 0
    found: Tensor = determinant.where(~flat, 1).sqrt().where(~flat, 0)
    return found


def patch_loss(sampled: Mapping[Modality, Tensor]) -> Tensor:
    """LAM: mean squared difference of the sampled maps, over all pairs of modalities.

    Args:
        sampled: Each (n, d, h', w'); two modalities or more.
    """
    pairs = combinations(sampled.values(), 2)
    return torch.stack([functional.mse_loss(a, b) for a, b in pairs]).mean()
