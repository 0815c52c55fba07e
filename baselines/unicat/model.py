"""The network of UniCat: a backbone and a neck for each modality, nothing shared or fused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.shared.encoder import Encoder, encoder
from baselines.shared.neck import BNNeck
from baselines.unicat.config import UniCatConfig
from harness.spec.method import DataInfo
from harness.spec.modality import Modality
from harness.training.streams import side_by_side


class TrainOutput(NamedTuple):
    """What the network gives in training, by modality."""

    features: dict[Modality, Tensor]
    """Each (n, d) before the neck."""
    logits: dict[Modality, Tensor]
    """Each (n, classes)."""


class Branch(nn.Module):
    """Everything that belongs to one modality.

    Args:
        backbone: Gives its (n, d) feature.
        classes: Identities in training.
    """

    def __init__(self, backbone: Encoder, classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = BNNeck(backbone.width, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The feature before and after the neck, each (n, d), and the logits (n, classes)."""
        before = self.backbone.pool(self.backbone(images))
        after, logits = self.neck(before)
        return before, after, logits


class UniCatNet(nn.Module):
    """One branch for each modality of the run.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities, input size and pretrained weights.
    """

    def __init__(self, config: UniCatConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.modalities = data.modalities
        self.branches = nn.ModuleDict()
        for modality in data.modalities:
            backbone = encoder(config.backbone, data, config.patch_stride, config.drop_path)
            self.branches[modality] = Branch(backbone, data.classes)
            self.width = backbone.width

    @property
    def columns(self) -> dict[Modality, tuple[int, int]]:
        """The columns of the descriptor of each modality."""
        return {m: (i * self.width, (i + 1) * self.width) for i, m in enumerate(self.modalities)}

    def forward(
        self, images: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor]
    ) -> Tensor | TrainOutput:
        """Descriptors in eval mode, what the losses need in train mode.

        Args:
            images: Normalised images by modality, each (n, 3, height, width), zero where absent.
            present: Each (n,) bool, the keys of `images`.

        Returns:
            In eval mode the features side by side, (n, d * modalities), zero for an absent
            modality, the whole divided by its length.
        """
        branches = {m: self.branches[m] for m in self.modalities if m in images}
        seen = side_by_side(branches, {m: (images[m],) for m in branches})
        if self.training:
            return TrainOutput(
                {m: s[0] for m, s in seen.items()}, {m: s[2] for m, s in seen.items()}
            )
        which = 0 if self.config.descriptor == "before" else 1
        parts = {m: s[which] * present[m][:, None] for m, s in seen.items()}
        zero = torch.zeros_like(next(iter(parts.values())))
        return functional.normalize(torch.cat([parts.get(m, zero) for m in self.modalities], 1))
