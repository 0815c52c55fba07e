"""Heads and losses that TOP-ReID and EDITOR put on a feature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.shared.losses import batch_hard_triplet
from baselines.shared.vit_config import VitConfig
from harness.spec.modality import Modality


class Supervised(NamedTuple):
    """A feature that is trained, and what its head makes of it."""

    feature: Tensor
    """(n, d) before the neck."""
    logits: Tensor
    """(n, classes)."""


def neck(width: int, shift: bool) -> nn.BatchNorm1d:
    """The batch normalisation before a classifier; without `shift` its bias stays at zero."""
    norm = nn.BatchNorm1d(width)
    norm.bias.requires_grad_(shift)
    return norm


def classifier(width: int, classes: int) -> nn.Linear:
    """The classifier after a neck: no bias, started near zero (normal, deviation 0.001)."""
    linear = nn.Linear(width, classes, bias=False)
    nn.init.normal_(linear.weight, std=0.001)
    return linear


def head_losses(
    heads: Mapping[str, Supervised], pids: Tensor, config: VitConfig
) -> dict[str, Tensor]:
    """For each head `NAME_id`, cross-entropy, and `NAME_triplet`, batch-hard, both weighted.

    Args:
        heads: By name.
        pids: (n,) labels.
    """
    terms = {}
    for name, (feature, logits) in heads.items():
        entropy = functional.cross_entropy(logits, pids, label_smoothing=config.label_smoothing)
        terms[f"{name}_id"] = config.id_weight * entropy
        triplet = batch_hard_triplet(feature, pids, config.margin)
        terms[f"{name}_triplet"] = config.triplet_weight * triplet
    return terms


def grey_where_absent(
    images: Mapping[Modality, Tensor], modalities: tuple[Modality, ...]
) -> dict[Modality, Tensor]:
    """Images of all modalities: one that the whole side lacks is zero, as single absent ones."""
    zero = torch.zeros_like(next(iter(images.values())))
    return {m: images.get(m, zero) for m in modalities}
