"""The losses of MPANet: centre cluster, separation of pattern maps, mutual mean learning."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from harness.spec.modality import Modality
from harness.training.numerics import full_precision

# Below this a distance of two centres has no gradient; the root's would be infinite at 0.
_NEAR = 1e-12


def centre_cluster(features: Tensor, pids: Tensor, margin: float) -> Tensor:
    """Centre cluster loss (paper section 3.4): near the own centre, centres apart.

    The centre of an identity is the mean over its images of all modalities. The loss is the mean
    distance of an image to its centre, and the mean of `margin` less the distance, not below 0,
    over the pairs of different centres. The authors' code needs identities in equal blocks, where
    both agree; a batch with one identity has no pair.

    Args:
        features: (n, d), not normalised; Euclidean distance.
        pids: (n,) identities.
        margin: Of the hinge.

    Returns:
        A scalar, float32 or wider.
    """
    with full_precision(features.device):
        features = features.to(torch.promote_types(features.dtype, torch.float32))
        same = (pids[:, None] == pids[None, :]).to(features.dtype)
        share = 1 / same.sum(1)
        # a row per image, its identity's centre; the shape never waits for the GPU
        centres = (same * share) @ features
        pull = torch.linalg.vector_norm(features - centres, dim=1).mean()
        # Centres are apart by far more than what the quick expansion loses in their digits.
        squares = centres.square().sum(1)
        far = squares[:, None] + squares[None, :] - 2 * centres @ centres.T
        short = (margin - far.clamp(min=_NEAR).sqrt()).clamp(min=0)
        # an image carries a share of its identity, so a pair of images a share of their pair
        pairs = share[:, None] * share[None, :] * (1 - same)
        push = (short * pairs).sum() / pairs.sum().clamp(min=1)
        loss: Tensor = pull + push
        return loss


def separation(maps: Tensor) -> Tensor:
    """How much the pattern maps of an image overlap (paper section 3.3), to be made small.

    The inner product of two maps over all positions, mean over pairs of maps and images.

    Args:
        maps: (n, patterns, h, w) in 0..1.

    Returns:
        A scalar; 0 with fewer than two patterns.
    """
    n, patterns = maps.shape[:2]
    if patterns < 2:
        return maps.new_zeros(())
    with full_precision(maps.device):
        flat = maps.flatten(2).to(torch.promote_types(maps.dtype, torch.float32))
        overlap = (flat @ flat.transpose(1, 2)).triu(1).sum()
    mean: Tensor = overlap / (n * patterns * (patterns - 1) / 2)
    return mean


def mutual_mean(own: Mapping[Modality, Tensor], others: Mapping[Modality, Tensor]) -> Tensor:
    """Mutual mean learning (paper section 3.4): classifiers of other modalities should agree.

    For every image the divergence KL(own || other) of what the classifier of its modality says
    and what the mean classifier of each other modality says; mean over images and others. The
    gradient goes through `own`, as in the authors' code.

    Args:
        own: By modality, logits (n_m, classes) of its own classifier.
        others: By modality, logits (n_m, modalities - 1, classes) of the others' mean classifiers.
    """
    terms = []
    for modality, logits in own.items():
        wide = torch.promote_types(logits.dtype, torch.float32)
        rest = others[modality].transpose(0, 1)
        believed = logits.softmax(1, dtype=wide).expand(rest.shape)
        seen = rest.log_softmax(2, dtype=wide)
        terms.append(functional.kl_div(seen, believed, reduction="none").sum(2).flatten())
    return torch.cat(terms).mean()
