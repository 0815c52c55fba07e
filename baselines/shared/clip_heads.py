"""What methods on CLIP are trained by: necks, classifiers, and two losses for each feature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.shared.clip_config import ClipConfig
from baselines.shared.losses import batch_hard_triplet
from baselines.shared.neck import BNNeck
from harness.spec.modality import Modality

JOINT = "ori"
"""The class tokens side by side, under the name the authors have for them."""


class Supervised(NamedTuple):
    """A feature that is trained by itself."""

    feature: Tensor
    """(n, width), before its neck."""
    logits: Tensor
    """(n, classes)."""


class Heads(nn.Module):
    """A BNNeck with its classifier for each of several features.

    Args:
        widths: Of the features, by name.
        classes: Identities in training.
    """

    def __init__(self, widths: Mapping[str, int], classes: int) -> None:
        super().__init__()
        self.necks = nn.ModuleDict({name: BNNeck(w, classes) for name, w in widths.items()})

    def forward(self, features: Mapping[str, Tensor]) -> dict[str, Supervised]:
        """The features with their logits, in the order of the widths."""
        return {
            name: Supervised(features[name], cast(BNNeck, neck)(features[name])[1])
            for name, neck in self.necks.items()
        }


def class_widths(
    config: ClipConfig, modalities: tuple[Modality, ...], width: int
) -> dict[str, int]:
    """The features that `class_features` gives, and how wide each is."""
    if config.supervision == "joint":
        return {JOINT: width * len(modalities)}
    return {str(m): width for m in modalities}


def class_features(config: ClipConfig, tokens: Mapping[Modality, Tensor]) -> dict[str, Tensor]:
    """What of the modalities' vectors, each (n, width), is trained: all side by side, or each."""
    if config.supervision == "joint":
        return {JOINT: torch.cat(list(tokens.values()), 1)}
    return {str(m): token for m, token in tokens.items()}


def supervision_losses(
    seen: Mapping[str, Supervised], pids: Tensor, config: ClipConfig
) -> dict[str, Tensor]:
    """`id_NAME` and `triplet_NAME` of every feature, weighted.

    Smoothed cross-entropy on the logits, and the batch-hard triplet on the feature as it is.

    Args:
        seen: Of the whole batch.
        pids: (n,) labels 0..classes-1.
        config: Weights, smoothing and margin.
    """
    terms = {}
    for name, (feature, logits) in seen.items():
        entropy = functional.cross_entropy(logits, pids, label_smoothing=config.label_smoothing)
        terms[f"id_{name}"] = config.id_weight * entropy
        triplet = batch_hard_triplet(feature, pids, config.margin)
        terms[f"triplet_{name}"] = config.triplet_weight * triplet
    return terms
