"""The network of EDITOR: one ViT, the patches it selects, and their aggregation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.editor.aggregation import THEIR_NAMES, Aggregation
from baselines.editor.config import EditorConfig
from baselines.editor.losses import background_consistency
from baselines.editor.selection import frequency, spatial
from baselines.shared.reid_vit import ReidViT, load_vit
from baselines.shared.vit_heads import Supervised, classifier, grey_where_absent, neck
from harness.spec.method import DataInfo
from harness.spec.modality import Modality


class TrainOutput(NamedTuple):
    """What the network gives in training."""

    heads: dict[str, Supervised]
    """`fused`, and `vit` or one named as each modality."""
    background: Tensor
    """(n,) of `background_consistency`; zero with a single modality."""
    tokens: dict[Modality, Tensor]
    """Each (n, d): class tokens after their modality's own layer, for OCFR."""


class _Backbone(nn.Module):
    """Named as in the authors' code, where the backbone holds the ViT as `base`."""

    def __init__(self, base: ReidViT) -> None:
        super().__init__()
        self.base = base


class EditorNet(nn.Module):
    """EDITOR for one or more modalities, under the authors' parameter names.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities, cameras, input size and pretrained weights.
    """

    def __init__(self, config: EditorConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.modalities = data.modalities
        d, classes = config.width, data.classes
        together = d * len(data.modalities)
        self.BACKBONE = _Backbone(ReidViT(config, (data.height, data.width), data.cameras))
        load_vit([self.BACKBONE.base], data.pretrained)
        self.FUSE_block = Aggregation(d, config.heads, data.modalities, classes)
        for modality in data.modalities:
            reduce = nn.Linear(2 * d, d)
            nn.init.kaiming_normal_(reduce.weight, mode="fan_out")
            nn.init.zeros_(reduce.bias)
            self.add_module(f"{THEIR_NAMES[modality]}_REDUCE", reduce)
        self.FUSE_BN, self.FUSE_HEAD = neck(together, shift=True), classifier(together, classes)
        if config.supervision == "joint":
            self.AL_BN, self.AL_HEAD = neck(together, shift=True), classifier(together, classes)
        self.BACKBONE_BN, self.BACKBONE_HEAD = neck(d, shift=True), classifier(d, classes)

    def forward(
        self, images: Mapping[Modality, Tensor], camids: Tensor | None = None
    ) -> Tensor | TrainOutput:
        """Descriptors in eval mode, what the losses need in train mode.

        Args:
            images: Normalised images by modality, each (n, 3, height, width), zero where absent.
            camids: (n,) int64, where the camera is embedded.

        Returns:
            In eval mode the (n, d * modalities) descriptor.
        """
        shown = grey_where_absent(images, self.modalities)
        tokens, kept = self.select(shown, camids)
        whole = torch.cat([torch.ones_like(kept[:, :1]), kept], 1)
        refined, own = self.FUSE_block({m: x * whole[..., None] for m, x in tokens.items()}, whole)
        fused = torch.cat([self._reduced(m, refined[m], kept) for m in self.modalities], 1)
        if not self.training:
            return functional.normalize(fused) if self.config.normalise else fused
        patches = {m: x[:, 1:] for m, x in tokens.items()}
        one = len(patches) == 1
        background = fused.new_zeros(len(fused)) if one else background_consistency(patches, kept)
        heads = {"fused": _head(self.FUSE_BN, self.FUSE_HEAD, fused)}
        return TrainOutput(heads | self._class_token_heads(tokens), background, own)

    def select(
        self, images: Mapping[Modality, Tensor], camids: Tensor | None
    ) -> tuple[dict[Modality, Tensor], Tensor]:
        """All tokens of the ViT by modality, and (n, patches) bool, which are kept.

        Args:
            images, camids: As for `forward`, with every modality.
        """
        base = self.BACKBONE.base
        if not self.config.selection:
            tokens = {m: base(images[m], camids) for m in self.modalities}
            first = tokens[self.modalities[0]]
            return tokens, torch.ones_like(first[:, 1:, 0], dtype=torch.bool)
        config, tokens = self.config, {}
        kept = frequency(images, config.patch, config.stride, config.frequency_keep)
        for modality in self.modalities:
            # One modality after the other: the probabilities of all blocks are large.
            tokens[modality], attention = base.with_attention(images[modality], camids)
            kept = kept | spatial(attention, config.head_keep)
        return tokens, kept

    def _reduced(self, modality: Modality, tokens: Tensor, kept: Tensor) -> Tensor:
        """(n, d) of a modality's class token and the mean of its kept patches."""
        mean = tokens[:, 1:].sum(1) / kept.sum(1, keepdim=True)
        reduce = self.get_submodule(f"{THEIR_NAMES[modality]}_REDUCE")
        reduced: Tensor = reduce(torch.cat([tokens[:, 0], mean], 1))
        return reduced

    def _class_token_heads(self, tokens: Mapping[Modality, Tensor]) -> dict[str, Supervised]:
        found = {str(m): x[:, 0] for m, x in tokens.items()}
        if self.config.supervision == "joint":
            return {"vit": _head(self.AL_BN, self.AL_HEAD, torch.cat(list(found.values()), 1))}
        # One neck for all, which normalises each modality by itself.
        return {m: _head(self.BACKBONE_BN, self.BACKBONE_HEAD, x) for m, x in found.items()}


def _head(norm: nn.Module, classify: nn.Module, feature: Tensor) -> Supervised:
    return Supervised(feature, classify(norm(feature)))
