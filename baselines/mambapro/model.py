"""The network of MambaPro."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.mambapro.aggregation import Aggregation
from baselines.mambapro.config import MambaProConfig
from baselines.mambapro.synergy import Additions
from baselines.shared.clip_heads import JOINT, Heads, Supervised
from baselines.shared.clip_streams import ClipStreams
from harness.spec.method import DataInfo
from harness.spec.modality import Modality

FUSED = "fuse"
"""The name of what AAM gives, among what is trained."""
EACH = "each"
"""The neck that all modalities share."""


class MambaProNet(nn.Module):
    """The whole network for one or more modalities.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities, cameras, input size and pretrained weights.
    """

    def __init__(self, config: MambaProConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.modalities = data.modalities
        self.backbone = ClipStreams(config, data)
        encoder = self.backbone.encoder
        encoder.requires_grad_(not config.frozen)
        self.additions = Additions(self.modalities, encoder.width, config)
        self.width = self.backbone.out
        self.aggregation = Aggregation(self.modalities, self.width, encoder.grid, config)
        joint = self.width * len(self.modalities)
        widths = {JOINT: joint, EACH: self.width, FUSED: joint}
        self.heads = Heads(widths, data.classes)
        # All are there whatever the options, as in the authors' checkpoints.
        self.aggregation.requires_grad_(config.mamba)
        idle = [
            EACH if config.supervision == "joint" else JOINT,
            *([] if config.mamba else [FUSED]),
        ]
        for name in idle:
            self.heads.necks[name].requires_grad_(False)

    def forward(
        self, images: Mapping[Modality, Tensor], camids: Tensor | None = None
    ) -> Tensor | dict[str, Supervised]:
        """Descriptors in eval mode, what is trained in train mode.

        Args:
            images: Normalised images by modality, each (n, 3, height, width); a modality that is
                no key counts as zeros.
            camids: (n,) cameras, for a network with a camera embedding.

        Returns:
            In eval mode (n, d * modalities), what AAM gives, 1536 as published; without AAM the
            class tokens side by side. In train mode each feature and its logits.
        """
        tokens = self._tokens(images, camids)
        classes = {m: t[:, 0] for m, t in tokens.items()}
        side_by_side = torch.cat(list(classes.values()), 1)
        fused = self.aggregation(tokens) if self.config.mamba else None
        if self.training:
            return self._seen(classes, side_by_side, fused)
        whole = side_by_side if fused is None else fused
        return functional.normalize(whole) if self.config.normalise else whole

    def _tokens(
        self, images: Mapping[Modality, Tensor], camids: Tensor | None
    ) -> dict[Modality, Tensor]:
        """Each (n, 1 + L, d)."""
        streams, encoder = self.backbone, self.backbone.encoder
        started = encoder.start(*streams.together(images, camids))
        return streams.apart(encoder.finish(self.additions(encoder.blocks, started)))

    def _seen(
        self, classes: Mapping[Modality, Tensor], side_by_side: Tensor, fused: Tensor | None
    ) -> dict[str, Supervised]:
        if self.config.supervision == "joint":
            seen = {JOINT: self._through(JOINT, side_by_side)}
        else:
            # One neck, whose statistics move with each modality.
            seen = {m: self._through(EACH, feature) for m, feature in classes.items()}
        if fused is not None:
            seen[FUSED] = self._through(FUSED, fused)
        return seen

    def _through(self, neck: str, feature: Tensor) -> Supervised:
        return Supervised(feature, self.heads.necks[neck](feature)[1])
