"""The two losses of IEEE: the multi-modal margin (3M) and the summed cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from harness.training.numerics import full_precision

Distance = Literal["squared", "l2"]


def multi_modal_margin(
    features: Mapping[Any, Tensor], pids: Tensor, margin: float, distance: Distance = "squared"
) -> Tensor:
    """3M: the centres of an identity in two modalities lie `margin` apart (paper section 3M loss).

    For every identity of the batch the largest |margin - d| over the pairs of modalities, summed
    over the identities. Samples are grouped by identity in any order and number; the authors'
    code needs them in equal blocks, where both agree.

    Args:
        features: By modality, each (n, d); normalised by the caller.
        pids: (n,) identities.
        margin: The distance asked for.
        distance: `squared` Euclidean as the authors' code, or `l2` as the paper.

    Returns:
        A scalar; 0 with a single modality, which has no pair.
    """
    first = next(iter(features.values()))
    if len(features) < 2:
        return first.new_zeros(())
    with full_precision(first.device):
        share = _shares(pids, torch.promote_types(first.dtype, torch.float32))
        centres = [share @ f.to(share.dtype) for f in features.values()]
        gaps = torch.stack([a - b for a, b in combinations(centres, 2)])
        # vector_norm has the gradient 0, not nan, where two centres coincide
        far = (
            gaps.square().sum(2) if distance == "squared" else torch.linalg.vector_norm(gaps, dim=2)
        )
        worst = (margin - far).abs().amax(0)
        # every sample carries its identity's value, so a share of each adds up to one per identity
        return (worst * share.diagonal()).sum()


def summed_cross_entropy(
    logits: Mapping[Any, Tensor], pids: Tensor, label_smoothing: float = 0.1
) -> Tensor:
    """Cross-entropy, mean over the batch, summed over stripes and modalities.

    Args:
        logits: By modality, each (parts, n, classes).
        pids: (n,) labels 0..classes-1.
        label_smoothing: Mass spread evenly over all classes.

    Returns:
        A scalar.
    """
    terms = []
    for scores in logits.values():
        parts, n, _ = scores.shape
        total = functional.cross_entropy(
            scores.flatten(0, 1),
            pids.repeat(parts),
            reduction="sum",
            label_smoothing=label_smoothing,
        )
        terms.append(total / n)
    return torch.stack(terms).sum()


def _shares(pids: Tensor, dtype: torch.dtype) -> Tensor:
    """(n, n): row i averages the samples of the identity of sample i; its size never varies.

    One row per sample instead of one per identity keeps the shape known in advance, which spares
    the wait for the GPU that `torch.unique` needs.
    """
    same = (pids[:, None] == pids[None, :]).to(dtype)
    return same / same.sum(1, keepdim=True)
