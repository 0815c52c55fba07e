"""The IEEE network: one stream per modality, joined only by the interaction of their maps."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from harness.spec.modality import MODALITIES, Modality, in_order
from harness.training.backbone import FeatureBackbone, feature_backbone
from harness.training.pooling import stripe_means
from harness.training.streams import side_by_side
from ieee.blocks import REDUCED, Interaction, PartHeads, RelationEmbedding, conv_bn_relu
from ieee.config import IEEEConfig

DESCRIPTOR_ORDER: tuple[Modality, ...] = ("TI", "RGB", "NI")
"""Order of the modalities in the descriptor, as the authors' code."""


class TrainOutput(NamedTuple):
    """What the network gives in training, by modality."""

    scores: dict[Modality, Tensor]
    """Each (n, parts, classes): images first, so that processes can share a batch."""
    features: dict[Modality, Tensor]
    """Each (n, 128 * parts), L2-normalised per sample."""

    @property
    def logits(self) -> dict[Modality, Tensor]:
        """Each (parts, n, classes), stripe by stripe as the losses take them."""
        return {modality: scores.transpose(0, 1) for modality, scores in self.scores.items()}


class Stream(nn.Module):
    """Everything that belongs to one modality; nothing is shared between streams.

    Args:
        config: The options.
        backbone: The network that gives the map.
        classes: Identities in training.
        alone: Whether it is the only modality of the run.
    """

    def __init__(
        self, config: IEEEConfig, backbone: FeatureBackbone, classes: int, alone: bool
    ) -> None:
        super().__init__()
        self.after = config.global_from == "after"
        self.parts = config.parts
        self.backbone = backbone
        channels = backbone.channels
        self.interaction = (
            Interaction(channels, config.attention, alone) if config.interaction else None
        )
        self.reduction = conv_bn_relu(channels, REDUCED)
        self.rem = RelationEmbedding(config.rem_formula) if config.rem else None
        self.heads = PartHeads(config.parts, classes)

    def forward(self, own: Tensor, rest: Tensor | None) -> Tensor:
        """Stripe features (n, parts, 128).

        Args:
            own: The map of this modality, (n, c, h, w).
            rest: The sum of the others' maps, or None where there is no other.
        """
        mixed = own if self.interaction is None else self.interaction(own, rest)
        whole = self._whole(mixed if self.after else own)
        stripes = stripe_means(mixed, self.parts)
        parts: Tensor = self.reduction(stripes).squeeze(3).transpose(1, 2)
        if self.rem is not None:
            parts = self.rem(parts, whole)
        return self.heads.features(parts)

    def _whole(self, features: Tensor) -> Tensor | None:
        """The reduced global feature (n, 768); runs before the stripes, as the authors' code.

        Without REM nothing uses it, but in training it still moves the running statistics of the
        reduction's batch normalisation.
        """
        pooled = features.mean(dim=(2, 3), keepdim=True)
        if self.rem is None:
            if self.training:
                with torch.no_grad():
                    self.reduction(pooled)
            return None
        whole: Tensor = self.reduction(pooled).flatten(1)
        return whole


class IEEENet(nn.Module):
    """The whole network for one or more modalities.

    The others of a modality are summed. With a single modality there are no others: the
    interaction is then y = u alone, without W2 and attention.

    Args:
        config: The options; kept as `config`.
        classes: Identities in training.
        modalities: The modalities of the run, one stream each.
        pretrained: Weights of the backbones: `none`, `imagenet`, or a path.
        image_size: (height, width), for backbones that are built for one size.
    """

    def __init__(
        self,
        config: IEEEConfig,
        classes: int,
        modalities: tuple[Modality, ...] = MODALITIES,
        pretrained: str = "none",
        image_size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.modalities = in_order(modalities)
        self.streams = nn.ModuleDict()
        for modality in self.modalities:
            backbone = feature_backbone(config.backbone, pretrained, image_size=image_size)
            self.streams[modality] = Stream(config, backbone, classes, len(self.modalities) == 1)

    def forward(self, images: Mapping[Modality, Tensor]) -> Tensor | TrainOutput:
        """Descriptors in eval mode, logits and features in train mode.

        Args:
            images: Normalised images by modality, each (n, 3, height, width).

        Returns:
            In eval mode the (n, 128 * parts * modalities) descriptor, not normalised, in the
            order TI, RGB, NI; in train mode a `TrainOutput`.
        """
        streams = {m: self._stream(m) for m in self.modalities}
        backbones = {m: stream.backbone for m, stream in streams.items()}
        maps = side_by_side(backbones, {m: (images[m],) for m in streams})
        seen: dict[Modality, tuple[Tensor, Tensor | None]] = {}
        for modality in self.modalities:
            others = [maps[m] for m in self.modalities if m != modality]
            rest = reduce(torch.add, others) if others and self.config.interaction else None
            seen[modality] = maps[modality], rest
        parts: dict[Modality, Tensor] = side_by_side(streams, seen)
        if not self.training:
            return torch.cat([parts[m].flatten(1) for m in DESCRIPTOR_ORDER if m in parts], 1)
        return TrainOutput(
            scores={m: self._stream(m).heads.logits(p) for m, p in parts.items()},
            features={m: functional.normalize(p.flatten(1)) for m, p in parts.items()},
        )

    def _stream(self, modality: Modality) -> Stream:
        stream = self.streams[modality]
        assert isinstance(stream, Stream)
        return stream
