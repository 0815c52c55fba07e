"""The network of Signal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.shared.clip_heads import Heads, Supervised, class_features, class_widths
from baselines.shared.clip_streams import ClipStreams
from baselines.signal.alignment import Sampling
from baselines.signal.config import SignalConfig
from baselines.signal.interaction import Interaction
from harness.base.errors import RecipeError
from harness.spec.method import DataInfo
from harness.spec.modality import Modality

SELECTED = "sim"
"""The name of what SIM gives, among what is trained."""
_START = 0.07
"""Of the temperature, which learns."""


class TrainOutput(NamedTuple):
    """What the network gives in training."""

    seen: dict[str, Supervised]
    """Each feature and its logits."""
    means: dict[Modality, Tensor]
    """Each (n, d), over the patches; empty without GAM."""
    sampled: dict[Modality, Tensor]
    """Each (n, d, h / 4, w / 4); empty without LAM."""


class SignalNet(nn.Module):
    """The whole network for one or more modalities.

    With a single modality there is nothing to align, and neither GAM nor LAM.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities, cameras, input size and pretrained weights.

    Raises:
        RecipeError: Fewer patches than `top_k`, or too few for the coarse map of LAM.
    """

    def __init__(self, config: SignalConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.modalities = data.modalities
        self.backbone = ClipStreams(config, data)
        self.width = self.backbone.out
        _require_patches(config, self.backbone.grid)
        widths = class_widths(config, self.modalities, self.width)
        self.sim: Interaction | None = None
        if config.sim:
            self.sim = Interaction(self.width, config.top_k)
            widths[SELECTED] = self.width * len(self.modalities)
        self.temperature: nn.Parameter | None = None
        self.lam: nn.ModuleDict | None = None
        if config.gam and len(self.modalities) > 1:
            self.temperature = nn.Parameter(torch.tensor(_START))
            # The authors have these layers wherever they have GAM, so their checkpoints do, too.
            grid = self.backbone.grid
            self.lam = nn.ModuleDict({m: Sampling(self.width, grid) for m in self.modalities})
            self.lam.requires_grad_(config.lam)
        self.heads = Heads(widths, data.classes)

    def forward(
        self, images: Mapping[Modality, Tensor], camids: Tensor | None = None
    ) -> Tensor | TrainOutput:
        """Descriptors in eval mode, what the losses need in train mode.

        Args:
            images: Normalised images by modality, each (n, 3, height, width); a modality that is
                no key counts as zeros.
            camids: (n,) cameras, for a network with a camera embedding.

        Returns:
            In eval mode (n, 2 * d * modalities), the class tokens side by side and then what SIM
            makes of them, 3072 as published; in train mode a `TrainOutput`.
        """
        tokens = self.backbone(images, camids)
        classes = {m: t[:, 0] for m, t in tokens.items()}
        features = class_features(self.config, classes)
        descriptor = list(classes.values())
        if self.sim is not None:
            features[SELECTED] = self.sim(tokens)
            descriptor.append(features[SELECTED])
        if self.training:
            return TrainOutput(self.heads(features), *self._to_align(tokens))
        whole = torch.cat(descriptor, 1)
        return functional.normalize(whole) if self.config.normalise else whole

    def _to_align(
        self, tokens: Mapping[Modality, Tensor]
    ) -> tuple[dict[Modality, Tensor], dict[Modality, Tensor]]:
        if self.lam is None:
            return {}, {}
        means = {m: t[:, 1:].mean(1) for m, t in tokens.items()}
        if not self.config.lam:
            return means, {}
        maps = {m: t[:, 1:].mT.unflatten(2, self.backbone.grid) for m, t in tokens.items()}
        return means, {m: self.lam[m](patches) for m, patches in maps.items()}


def _require_patches(config: SignalConfig, grid: tuple[int, int]) -> None:
    rows, columns = grid
    larger = "raise input.height and input.width, or lower config.encoder.patch and config.stride"
    if config.sim and config.top_k > rows * columns:
        raise RecipeError(
            f"config.top_k = {config.top_k} of {rows}x{columns} patches",
            f"at most {rows * columns}",
            f"lower config.top_k, or {larger}",
        )
    if config.gam and min(grid) < 8:
        raise RecipeError(
            f"{rows}x{columns} patches, of which LAM samples a map of a quarter in each axis",
            "8x8 patches or more, so that this map has two points in each axis",
            f"{larger}; or set config.lam=false and config.gam=false",
        )
