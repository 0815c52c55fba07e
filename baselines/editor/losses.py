"""EDITOR's own losses: background consistency (BCC) and moving centres of identities (OCFR)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional

from harness.spec.modality import Modality


def background_consistency(patches: Mapping[Modality, Tensor], kept: Tensor) -> Tensor:
    """(n,): how far the patches left out are apart over the modalities.

    For each pair of modalities the mean squared difference over all patches and channels, where
    those kept count as zero; summed over the pairs. The loss is the mean over the samples.

    Args:
        patches: By modality, each (n, patches, d).
        kept: (n, patches) bool.
    """
    left = ~kept[..., None]
    apart = [
        ((patches[a] - patches[b]) * left).square().mean((1, 2))
        for a, b in combinations(patches, 2)
    ]
    return torch.stack(apart).sum(0)


def follow_centres(centres: Tensor, tokens: Tensor, pids: Tensor, momentum: float) -> Tensor:
    """OCFR of one modality: the mean squared distance of tokens to the centres of their identity.

    First the centres of the identities in the batch move, in place and without a gradient:
    `momentum` times the mean of their tokens, and the rest as before. The authors hold the
    momentum in float32, which shows in float64.

    Args:
        centres: (classes, d); changed.
        tokens: (n, d) class tokens, of any length.
        pids: (n,) labels, in any order and number.
        momentum: From 0 to 1.

    Returns:
        A scalar, the mean over n and d.
    """
    with torch.autocast(tokens.device.type, enabled=False):
        unit = functional.normalize(tokens.to(centres.dtype), dim=1)
        new = torch.tensor(momentum, dtype=torch.float32)
        with torch.no_grad():
            # Over all identities: which of them are here is known to the device alone.
            count = centres.new_zeros(len(centres)).index_add_(0, pids, torch.ones_like(unit[:, 0]))
            means = (
                torch.zeros_like(centres).index_add_(0, pids, unit) / count.clamp(min=1)[:, None]
            )
            moved = new.item() * means + (1 - new).item() * centres
            centres.copy_(torch.where(count[:, None] > 0, moved, centres))
        return functional.mse_loss(unit, centres[pids])
