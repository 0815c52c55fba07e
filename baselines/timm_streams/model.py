"""The network of `timm`: backbones, a fusion, and one neck."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.shared.encoder import Encoder, encoder
from baselines.shared.losses import CenterLoss
from baselines.shared.neck import BNNeck
from baselines.timm_streams.config import TimmConfig
from baselines.timm_streams.fusion import (
    FUSIONS,
    Seen,
    Segment,
    absent_as_zero,
    single_columns,
    there,
    whole_sum,
)
from harness.spec.method import DataInfo
from harness.spec.modality import Modality
from harness.training.streams import side_by_side

_ALL = "all"
"""The name of the one backbone, where there is one for all."""


class TrainOutput(NamedTuple):
    """What the network gives in training."""

    fused: Tensor
    """(n, d) before the neck."""
    logits: Tensor
    """(n, classes)."""
    by_modality: dict[Modality, Tensor]
    """Each (n, w), of length 1; empty for `image_sum`."""


class StreamsNet(nn.Module):
    """Backbones from timm for one or more modalities, fused, with a BNNeck.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities, input size and pretrained weights.
    """

    def __init__(self, config: TimmConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.modalities = data.modalities
        one = config.streams == "shared" or config.fusion == "image_sum"
        names = (_ALL,) if one else data.modalities
        self.backbones = nn.ModuleDict({name: encoder(config.backbone, data) for name in names})
        first = self._backbone(names[0])
        self.fusion = None
        self.segments: tuple[Segment, ...] = (Segment(data.modalities, first.width),)
        if config.fusion != "image_sum":
            self.fusion = FUSIONS[config.fusion](data.modalities, first)
            self.segments = self.fusion.segments
        width = sum(segment.width for segment in self.segments)
        self.neck = BNNeck(width, data.classes)
        self.center = (
            CenterLoss(data.classes, width, config.weight_center) if config.weight_center else None
        )

    @property
    def columns(self) -> dict[Modality, tuple[int, int]]:
        """The columns of the descriptor that come from one modality alone."""
        return single_columns(self.segments)

    def forward(
        self, images: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor]
    ) -> Tensor | TrainOutput:
        """Descriptors in eval mode, what the losses need in train mode.

        Args:
            images: Normalised images by modality, each (n, 3, height, width), zero where absent.
            present: Each (n,) bool, the keys of `images`.

        Returns:
            In eval mode the (n, d) feature after the neck, divided by its length; columns that
            come from absent modalities only are zero.
        """
        fused, vectors, whole = self._fuse(images, present)
        after, logits = self.neck(fused)
        if not self.training:
            return functional.normalize(after * there(self.segments, whole))
        return TrainOutput(fused, logits, {m: functional.normalize(v) for m, v in vectors.items()})

    def _fuse(
        self, images: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor]
    ) -> tuple[Tensor, dict[Modality, Tensor], dict[Modality, Tensor]]:
        """The fused feature, the modalities' vectors, and who has which modality of the run."""
        whole = absent_as_zero(present, self.modalities)
        if self.fusion is None:
            backbone = self._backbone(_ALL)
            total = whole_sum(absent_as_zero(images, self.modalities), whole)
            return backbone.pool(backbone(total)), {}, whole
        features = self._features(images)
        vectors, maps = {}, {}
        for modality, found in features.items():
            backbone = self._of(modality)
            # a network's biases make something of an absent image too
            here = present[modality]
            vectors[modality] = backbone.pool(found) * here[:, None]
            if self.fusion.of_maps:
                maps[modality] = backbone.as_map(found) * here[:, None, None, None]
        vectors = absent_as_zero(vectors, self.modalities)
        maps = absent_as_zero(maps, self.modalities) if maps else {}
        return self.fusion(Seen(maps, vectors, whole)), vectors, whole

    def _features(self, images: Mapping[Modality, Tensor]) -> dict[Modality, Tensor]:
        """Last features by modality, for those in the batch.

        A shared backbone sees all modalities as one batch, so that its batch normalisation is
        over all of them in training, as its running statistics are at test.
        """
        seen = [m for m in self.modalities if m in images]
        if _ALL not in self.backbones:
            return side_by_side({m: self._of(m) for m in seen}, {m: (images[m],) for m in seen})
        together: Tensor = self._backbone(_ALL)(torch.cat([images[m] for m in seen]))
        return dict(zip(seen, together.chunk(len(seen)), strict=True))

    def _of(self, modality: Modality) -> Encoder:
        return self._backbone(_ALL if _ALL in self.backbones else modality)

    def _backbone(self, name: str) -> Encoder:
        found = self.backbones[name]
        assert isinstance(found, Encoder)
        return found
