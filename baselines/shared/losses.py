"""Losses that several baselines share: batch-hard triplet, center and hetero-center."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.spec.modality import Modality
from harness.training.numerics import full_precision


def batch_hard_triplet(
    features: Tensor, pids: Tensor, margin: float | None = None, valid: Tensor | None = None
) -> Tensor:
    """Batch-hard triplet loss (Hermans et al. 2017, equation 5), mean over the anchors.

    Each sample is an anchor; its farthest sample of the same identity has to be nearer than its
    nearest of another. An anchor alone in its identity has itself, at distance 0, as positive; a
    batch with one identity has no negative and gives 0.

    Args:
        features: (n, d), not normalised unless the caller does so; Euclidean distance.
        pids: (n,) identities.
        margin: Of the hinge; None is the paper's soft margin, log(1 + exp(gap)).
        valid: (n,) bool, the samples that take part; all by default.

    Returns:
        A scalar, float32 or wider.
    """
    with full_precision(features.device):
        features = features.to(torch.promote_types(features.dtype, torch.float32))
        with torch.no_grad():
            distances = _exact_distances(features)
            if valid is None:
                valid = torch.ones_like(pids, dtype=torch.bool)
            same = pids[:, None] == pids[None, :]
            positive = distances.masked_fill(~(same & valid), -1).argmax(1)
            other = ~same & valid
            negative = distances.masked_fill(~other, torch.inf).argmin(1)
        # Only the chosen pairs carry a gradient; vector_norm's is 0, not nan, at distance 0.
        gap = _length(features - features[positive]) - _length(features - features[negative])
        terms = functional.softplus(gap) if margin is None else (gap + margin).clamp(min=0)
        counted = terms.masked_fill(~(valid & other.any(1)), 0)
        return counted.sum() / valid.sum().clamp(min=1)


class CenterLoss(nn.Module):
    """Center loss (Wen et al. 2016, equation 2): features near the centre of their identity.

    The value is `weight / 2` times the squared distance, averaged over the batch (the paper
    sums). The gradient of the centres is the paper's equation 4 and does not depend on `weight`:
    the two rates of its algorithm are independent. So give the centres a rate of their own
    (`lr_scales`), about 0.5 with plain SGD.

    Args:
        classes: Identities in training; the centres start at zero.
        width: d of the features.
        weight: The paper's lambda.
    """

    def __init__(self, classes: int, width: int, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight
        self.centres = nn.Parameter(torch.zeros(classes, width))

    def forward(self, features: Tensor, pids: Tensor) -> Tensor:
        """A scalar.

        Args:
            features: (n, width).
            pids: (n,) labels 0..classes-1.
        """
        with full_precision(features.device):
            features = features.to(torch.promote_types(features.dtype, self.centres.dtype))
            own = self.centres[pids]
            pull = (features - own.detach()).square().sum(1).mean() / 2
            count = (pids[:, None] == pids[None, :]).sum(1)
            follow = ((own - features.detach()).square().sum(1) / (1 + count)).sum() / 2
            return self.weight * pull + (follow - follow.detach())


def hetero_center(features: Mapping[Modality, Tensor], pids: Tensor, margin: float = 0.0) -> Tensor:
    """Hetero-center loss (Zhu et al. 2020, equation 4): an identity's modality centres coincide.

    For every identity of the batch and every pair of modalities the squared Euclidean distance of
    the two centres, less `margin` and not below 0; summed. The paper has two modalities and no
    margin. Samples may come in any order and number; the public codes cut the batch into equal
    blocks, where both agree.

    Args:
        features: By modality, each (n, d).
        pids: (n,) identities.
        margin: Squared distance that is free of charge.

    Returns:
        A scalar, float32 or wider; 0 with a single modality, which has no pair.
    """
    first = next(iter(features.values()))
    with full_precision(first.device):
        dtype = torch.promote_types(first.dtype, torch.float32)
        total = first.new_zeros((), dtype=dtype)
        same = (pids[:, None] == pids[None, :]).to(dtype)
        share = same / same.sum(1, keepdim=True)
        centres = [share @ f.to(dtype) for f in features.values()]
        for a, b in combinations(centres, 2):
            far = ((a - b).square().sum(1) - margin).clamp(min=0)
            # a row per sample, of which each carries its share, adds up to one per identity
            total = total + (far * share.diagonal()).sum()
        return total


def _exact_distances(features: Tensor) -> Tensor:
    """(n, n) Euclidean distances by differences: the quick expansion loses digits of near pairs."""
    return torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist")


def _length(vectors: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=1)
    return lengths
