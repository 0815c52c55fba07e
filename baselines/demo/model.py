"""The network of DeMo."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.demo.config import DeMoConfig
from baselines.demo.decoupling import AttentionExperts, HierarchicalDecoupling
from baselines.shared.clip_heads import Heads, Supervised, class_features, class_widths
from baselines.shared.clip_streams import ClipStreams
from baselines.shared.global_local import GlobalLocal
from harness.spec.method import DataInfo
from harness.spec.modality import Modality

EXPERTS = "moe"
"""The name of what HDM and ATMoE give, among what is trained."""


class DeMoNet(nn.Module):
    """The whole network for one or more modalities.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities, cameras, input size and pretrained weights.
    """

    def __init__(self, config: DeMoConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.modalities = data.modalities
        self.backbone = ClipStreams(config, data)
        self.width = self.backbone.out
        self.pife: nn.ModuleDict | None = None
        if config.pife:
            self.pife = nn.ModuleDict({m: GlobalLocal(self.width) for m in self.modalities})
        widths = class_widths(config, self.modalities, self.width)
        self.hdm: HierarchicalDecoupling | None = None
        self.atmoe: AttentionExperts | None = None
        if config.hdm:
            self.hdm = HierarchicalDecoupling(self.modalities, self.width, config.attention_dropout)
            sets = len(self.hdm.sets)
            widths = {EXPERTS: sets * self.width, **widths}
            if config.atmoe:
                self.atmoe = AttentionExperts(sets, self.width, config.heads)
        self.heads = Heads(widths, data.classes)

    def forward(
        self, images: Mapping[Modality, Tensor], camids: Tensor | None = None
    ) -> Tensor | dict[str, Supervised]:
        """Descriptors in eval mode, what is trained in train mode.

        Args:
            images: Normalised images by modality, each (n, 3, height, width); a modality that is
                no key counts as zeros.
            camids: (n,) cameras, for a network with a camera embedding.

        Returns:
            In eval mode (n, d * (modalities + sets)), the class tokens side by side and then what
            HDM and ATMoE give, 5120 as published; in train mode each feature and its logits.
        """
        tokens = self.backbone(images, camids)
        globals_ = {m: t[:, 0] if self.pife is None else self.pife[m](t) for m, t in tokens.items()}
        features = class_features(self.config, globals_)
        descriptor = list(globals_.values())
        if self.hdm is not None:
            sequences = {
                m: torch.cat([globals_[m][:, None], t[:, 1:]], 1) for m, t in tokens.items()
            }
            vectors = self.hdm(sequences)
            moe = vectors.flatten(1) if self.atmoe is None else self.atmoe(vectors)
            features[EXPERTS] = moe
            descriptor.append(moe)
        if self.training:
            seen: dict[str, Supervised] = self.heads(features)
            return seen
        whole = torch.cat(descriptor, 1)
        return functional.normalize(whole) if self.config.normalise else whole
