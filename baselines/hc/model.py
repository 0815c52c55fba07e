"""The hetero-center network: a backbone per modality, stripe embeddings that all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.hc.config import HCConfig
from baselines.shared.cross import by_modality
from harness.spec.method import DataInfo
from harness.spec.modality import Modality
from harness.training.backbone import feature_backbone
from harness.training.pooling import stripe_means
from harness.training.streams import side_by_side


class TrainOutput(NamedTuple):
    """What the network gives in training."""

    logits: dict[Modality, Tensor]
    """Each (n_m, parts, classes)."""
    features: dict[Modality, Tensor]
    """Each (n_m, parts, width); every stripe has length 1."""


class StripeHead(nn.Module):
    """Embedding and classifier of one stripe; initial values as in the authors' code.

    Args:
        channels: Of the backbone's map.
        config: The options.
        classes: Identities in training.
    """

    def __init__(self, channels: int, config: HCConfig, classes: int) -> None:
        super().__init__()
        self.embed = nn.Linear(channels, config.width)
        self.norm = nn.BatchNorm1d(config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.classify = nn.Linear(config.width, classes)
        nn.init.kaiming_normal_(self.embed.weight, mode="fan_out")
        nn.init.zeros_(self.embed.bias)
        nn.init.normal_(self.norm.weight, 1.0, 0.01)
        nn.init.normal_(self.classify.weight, std=0.001)
        nn.init.zeros_(self.classify.bias)

    def forward(self, stripe: Tensor) -> Tensor:
        """The stripe's feature (n, width) of its pooled map (n, channels)."""
        feature: Tensor = self.norm(self.embed(stripe))
        return feature

    def logits(self, feature: Tensor) -> Tensor:
        """(n, classes) of features (n, width)."""
        found: Tensor = self.classify(self.dropout(functional.leaky_relu(feature, 0.1)))
        return found


class HCNet(nn.Module):
    """One unshared backbone per modality; from the stripes on everything is shared.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities of the run, image size and pretrained weights.
    """

    def __init__(self, config: HCConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        size = (data.height, data.width)
        self.streams = nn.ModuleDict(
            {
                m: feature_backbone(config.backbone, data.pretrained, image_size=size)
                for m in data.modalities
            }
        )
        channels = int(next(iter(self.streams.values())).channels)  # type: ignore[arg-type]
        self.heads = nn.ModuleList(
            StripeHead(channels, config, data.classes) for _ in range(config.parts)
        )

    def forward(self, images: Mapping[Modality, Tensor]) -> TrainOutput | dict[Modality, Tensor]:
        """Logits and features in train mode; in eval mode the features alone.

        Args:
            images: By modality of the run, any of them, each (n_m, 3, height, width).

        Returns:
            In eval mode by modality (n_m, parts, width), every stripe of length 1.
        """
        # All modalities pass the shared layers together, so the batch statistics are theirs.
        streams = {m: self.streams[m] for m in images}
        maps: dict[Modality, Tensor] = side_by_side(streams, {m: (images[m],) for m in streams})
        stripes = torch.cat([self._stripes(found) for found in maps.values()])
        found = [head(s) for head, s in zip(self.heads, stripes.unbind(1), strict=True)]
        unit = functional.normalize(torch.stack(found, 1), dim=2)
        features = by_modality(unit, images)
        if not self.training:
            return features
        logits = [self._head(i).logits(feature) for i, feature in enumerate(found)]
        return TrainOutput(by_modality(torch.stack(logits, 1), images), features)

    def _stripes(self, maps: Tensor) -> Tensor:
        """(n, parts, channels) of a map."""
        pooled = stripe_means(maps, self.config.parts)
        return pooled.squeeze(3).transpose(1, 2)

    def _head(self, part: int) -> StripeHead:
        head = self.heads[part]
        assert isinstance(head, StripeHead)
        return head
