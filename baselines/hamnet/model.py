"""The HAMNet network: one stream per modality, weighed by where its classes light up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from baselines.hamnet.config import HAMNetConfig
from harness.spec.method import DataInfo
from harness.spec.modality import Modality, in_order
from harness.training.backbone import FeatureBackbone, feature_backbone
from harness.training.streams import side_by_side


class TrainOutput(NamedTuple):
    """What the network gives in training."""

    features: dict[Modality, Tensor]
    """Each (n, d), normalised over the batch."""
    scores: dict[Modality, Tensor]
    """Each (n, classes), of one classifier that all share."""
    fused: Tensor
    """(n, d), the weighted sum of the features."""
    fused_scores: Tensor
    """(n, classes), of the same classifier."""


class Stream(nn.Module):
    """Everything that belongs to one modality.

    Args:
        backbone: The network that gives the map.
        classes: Identities in training.
    """

    def __init__(self, backbone: FeatureBackbone, classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.activation = nn.Conv2d(backbone.channels, classes, 1, bias=False)
        self.norm = nn.BatchNorm1d(backbone.channels)
        self.norm.bias.requires_grad_(False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The feature (n, d) and the activation of every class at every place, (n, classes, h, w).

        The feature is the average of the map, batch-normalised; activations are in 0..1.
        """
        features = self.backbone(images)
        return self.norm(features.mean(dim=(2, 3))), torch.sigmoid(self.activation(features))


class HAMNetwork(nn.Module):
    """The whole network for one or more modalities.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities, input size and pretrained weights.
    """

    def __init__(self, config: HAMNetConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.modalities = in_order(data.modalities)
        size = (data.height, data.width)
        backbones = {
            m: feature_backbone(config.backbone, data.pretrained, image_size=size)
            for m in self.modalities
        }
        self.streams = nn.ModuleDict({m: Stream(b, data.classes) for m, b in backbones.items()})
        self.classifier = nn.Linear(next(iter(backbones.values())).channels, data.classes)

    def forward(
        self, images: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor]
    ) -> Tensor | TrainOutput:
        """Fused features in eval mode, everything the losses need in train mode.

        Args:
            images: Normalised images by modality, each (n, 3, height, width); a modality of the
                network that is no key is left out of the fusion.
            present: Each (n,) bool; an image that is not there gets no weight.

        Returns:
            In eval mode the (n, d) fused features, not normalised; in train mode a `TrainOutput`.
        """
        given = [m for m in self.modalities if m in images]
        features: dict[Modality, Tensor] = {}
        heat: dict[Modality, Tensor] = {}
        streams = {m: self.streams[m] for m in given}
        seen = side_by_side(streams, {m: (images[m],) for m in given})
        for modality, (feature, lit) in seen.items():
            features[modality] = feature
            heat[modality] = lit * present[modality][:, None, None, None]
        weights = fusion_weights(heat)
        fused = torch.stack([weights[m][:, None] * features[m] for m in given]).sum(0)
        if not self.training:
            return fused
        return TrainOutput(
            features=features,
            scores={m: self.classifier(f) for m, f in features.items()},
            fused=fused,
            fused_scores=self.classifier(fused),
        )


def fusion_weights(heat: Mapping[Modality, Tensor]) -> dict[Modality, Tensor]:
    """How much of each modality goes into the fused feature; for each sample they add up to 1.

    A class counts by its share of the fused activation (at every place the largest of the
    modalities'), and a modality by its part in that class.

    Args:
        heat: By modality, each (n, classes, h, w), 0 or more; all 0 for an absent image.

    Returns:
        By modality, each (n,).
    """
    whole = torch.stack(list(heat.values()))
    # summed in float32 at least: bf16 would leave two digits of a weight
    kind = torch.promote_types(whole.dtype, torch.float32)
    sums = {m: h.sum((2, 3), dtype=kind) for m, h in heat.items()}
    largest = whole.amax(0).sum((2, 3), dtype=kind)
    share = largest / largest.sum(1, keepdim=True)
    total = torch.stack(list(sums.values())).sum(0)
    return {m: (share * s / total).sum(1) for m, s in sums.items()}
