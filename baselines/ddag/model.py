"""The DDAG network: a stem per modality, shared stages, and the two attentions."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from baselines.ddag.attention import CrossModalGraph, PartAggregation
from baselines.ddag.config import DDAGConfig
from baselines.shared.cross import by_modality
from baselines.shared.neck import BNNeck
from baselines.shared.resnet import resnet_pieces
from harness.spec.method import DataInfo
from harness.spec.modality import Modality


class TrainOutput(NamedTuple):
    """What the network gives in training, by modality of n_m images."""

    pooled: dict[Modality, Tensor]
    """Each (n_m, channels), before the neck."""
    logits: dict[Modality, Tensor]
    """Each (n_m, classes) of the normalised global feature."""
    part_logits: dict[Modality, Tensor]
    """Each (n_m, classes) of the aggregated feature, by the same classifier; empty without it."""


class DDAGNet(nn.Module):
    """Stems of their own, everything else shared by the modalities.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities of the run and pretrained weights.

    Attributes:
        graph: For the loss, since it looks at all images of a batch; None without it.
    """

    def __init__(self, config: DDAGConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        pieces = resnet_pieces(config.backbone, data.pretrained)
        channels = pieces.channels[1]
        # The stems start alike, as they do from the same pretrained weights.
        self.stems = nn.ModuleDict({m: copy.deepcopy(pieces.stem) for m in data.modalities})
        self.stages = nn.Sequential(*pieces.stages)
        self.neck = BNNeck(channels, data.classes)
        self.parts = PartAggregation(channels, config.parts) if config.part_attention else None
        self.graph = (
            CrossModalGraph(
                channels, data.classes, config.heads, config.width, config.dropout, config.slope
            )
            if config.graph
            else None
        )
        for norm in (self.neck.norm, *([self.parts.norm] if self.parts else [])):
            nn.init.normal_(norm.weight, 1.0, 0.01)
        self.dynamic = DynamicWeight()

    def forward(self, images: Mapping[Modality, Tensor]) -> TrainOutput | dict[Modality, Tensor]:
        """What the losses need in train mode, descriptors in eval mode.

        Args:
            images: By modality of the run, any of them, each (n_m, 3, height, width).

        Returns:
            In eval mode by modality (n_m, channels), not yet of length 1.
        """
        maps = self.stages(torch.cat([self.stems[m](x) for m, x in images.items()]))
        pooled = maps.mean((2, 3))
        whole, logits = self.neck(pooled)
        parts = None if self.parts is None else self.parts(maps, whole)
        if not self.training:
            chosen = whole if parts is None or self.config.descriptor == "global" else parts
            return by_modality(chosen, images)
        return TrainOutput(
            by_modality(pooled, images),
            by_modality(logits, images),
            {} if parts is None else by_modality(self.neck.classifier(parts), images),
        )


class DynamicWeight(nn.Module):
    """The weight of the graph's loss (paper equation 11): 1 / (1 + the other losses).

    Those losses are the mean of the epoch before; in the first epoch the weight is 0. All of it
    is in buffers, so a training that was cut off goes on alike.
    """

    weight: Tensor
    total: Tensor
    steps: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("weight", "total", "steps"):
            self.register_buffer(name, torch.zeros(()))

    def start_epoch(self) -> None:
        """Settle the weight from the steps since the last call; without any it is 0."""
        mean = self.total / self.steps.clamp(min=1)
        self.weight.copy_(torch.where(self.steps > 0, 1 / (1 + mean), 0.0))
        self.total.zero_()
        self.steps.zero_()

    def add(self, loss: Tensor) -> None:
        """Take in the scalar loss of a step."""
        self.total += loss.detach().to(self.total.dtype)
        self.steps += 1
