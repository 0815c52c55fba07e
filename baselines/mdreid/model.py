"""The network of MDReID."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from baselines.mdreid.config import MDReIDConfig
from baselines.shared.clip_heads import Heads, Supervised, class_features, class_widths
from baselines.shared.clip_streams import ClipStreams
from baselines.shared.clip_visual import ClipVisual
from harness.spec.method import DataInfo
from harness.spec.modality import Modality

SHARED = "shared"
"""The name of the shared tokens side by side, among what is trained."""


class TrainOutput(NamedTuple):
    """What the network gives in training."""

    seen: dict[str, Supervised]
    """Each feature and its logits."""
    own: dict[Modality, Tensor]
    """Each (n, d), what a modality has of its own."""
    shared: dict[Modality, Tensor]
    """Each (n, d); empty without the shared token."""


class MDReIDNet(nn.Module):
    """The whole network for one or more modalities.

    Two tokens stand in front of the patches. Both are CLIP's class token, one parameter, and differ
    by their positions and by the camera's vector, which the first alone is given.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities, cameras, input size and pretrained weights.

    Attributes:
        width: d of a token, 512 as published.
        last_position: (1, width of the encoder), the last row of a table of positions that is one
            longer than the encoder's own: its rows are for the first token, the second, and the
            patches. None without the shared token.
    """

    def __init__(self, config: MDReIDConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.modalities = data.modalities
        self.backbone = ClipStreams(config, data)
        self.width = self.backbone.out
        widths = class_widths(config, self.modalities, self.width)
        self.last_position: nn.Parameter | None = None
        if config.shared_token:
            self.last_position = _with_one_more(self.backbone.encoder)
            widths[SHARED] = self.width * len(self.modalities)
        self.heads = Heads(widths, data.classes)

    def forward(
        self, images: Mapping[Modality, Tensor], camids: Tensor | None = None
    ) -> Tensor | TrainOutput:
        """Descriptors in eval mode, what the losses need in train mode.

        Args:
            images: Normalised images by modality, each (n, 3, height, width). A modality that is
                no key has zeros for its tokens; without the shared token it counts as an image of
                zeros.
            camids: (n,) cameras, for a network with a camera embedding.

        Returns:
            In eval mode (n, 2 * modalities * d), 3072 as published: what each modality has of its
            own, then what of each is shared; without the shared token the first half of it. In
            train mode a `TrainOutput`.
        """
        if self.last_position is None:
            own = {m: tokens[:, 0] for m, tokens in self.backbone(images, camids).items()}
            shared: dict[Modality, Tensor] = {}
        else:
            pairs = self._pairs(images, camids, self.last_position)
            own, shared = ({m: p[:, i] for m, p in pairs.items()} for i in (0, 1))
        if not self.training:
            return torch.cat([*own.values(), *shared.values()], 1)
        features = class_features(self.config, own)
        if shared:
            features[SHARED] = torch.cat(list(shared.values()), 1)
        return TrainOutput(self.heads(features), own, shared)

    def _pairs(
        self, images: Mapping[Modality, Tensor], camids: Tensor | None, last_position: Tensor
    ) -> dict[Modality, Tensor]:
        """Both tokens of every modality, each (n, 2, d)."""
        shown = [m for m in self.modalities if m in images]
        every = torch.cat([images[m] for m in shown])
        found = self._encoded(every, self.backbone.shift(camids, len(shown)), last_position)
        pairs = dict(zip(shown, found.chunk(len(shown)), strict=True))
        nothing = torch.zeros_like(pairs[shown[0]])
        return {m: pairs.get(m, nothing) for m in self.modalities}

    def _encoded(self, images: Tensor, shift: Tensor | None, last_position: Tensor) -> Tensor:
        """Both tokens of images (n, 3, height, width), (n, 2, d)."""
        encoder = self.backbone.encoder
        patches = encoder.conv1(images).flatten(2).mT
        second = encoder.class_embedding.expand(len(images), -1)
        first = second if shift is None else second + shift
        # Under autocast the patches are of a lower precision than the parameters beside them.
        front = torch.stack([first, second], 1).to(patches.dtype)
        positions = torch.cat([encoder.positional_embedding, last_position]).to(patches.dtype)
        tokens = encoder.ln_pre(torch.cat([front, patches], 1) + positions)
        for block in encoder.blocks:
            tokens = block(tokens)
        return encoder.finish(tokens)[:, :2]


def _with_one_more(encoder: ClipVisual) -> nn.Parameter:
    """Positions for one token more, the second starting at the first's; gives the last row.

    Shifted within the encoder's own table, so that its first rows have one name with the shared
    token and without it, as in the authors' code.
    """
    table = encoder.positional_embedding.data
    longer = torch.cat([table[:1], table])
    table.copy_(longer[:-1])
    return nn.Parameter(longer[-1:].clone())
