"""The network of MFRNet."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn
from torch.nn import functional

from baselines.mfrnet.config import MFRNetConfig
from baselines.mfrnet.generation import Generation
from baselines.mfrnet.routing import ExpertLayer, Routed
from baselines.shared.clip_heads import Heads, class_widths
from baselines.shared.clip_streams import ClipStreams
from baselines.shared.global_local import GlobalLocal
from harness.spec.method import Batch, DataInfo
from harness.spec.modality import Modality

_EXPERTS = 6
_WITHIN = 512
_FEW = 3
"""Images of a batch in which the authors' network has no experts."""


class Started(NamedTuple):
    """What the blocks are given."""

    tokens: Tensor
    """(n, modalities, t, width)."""
    routed: dict[str, Routed]
    """Of GEN's layers."""


class Finished(NamedTuple):
    """What comes out at the end."""

    globals: dict[Modality, Tensor]
    """Each (n, d), the class tokens."""
    routed: dict[str, Routed]
    """Of the last block's experts."""


class MFRNet(nn.Module):
    """The whole network for one or more modalities, in three parts.

    Experts with a capacity look at the whole batch. So only what lies between them is the forward
    pass, which several processes share: `loss` calls `start` and `finish` itself.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities, cameras, input size and pretrained weights.
    """

    def __init__(self, config: MFRNetConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.modalities = data.modalities
        self.backbone = ClipStreams(config, data)
        self.width = self.backbone.out
        within = self.backbone.encoder.width
        self.generation: Generation | None = None
        if config.generation and len(self.modalities) > 1:
            self.generation = Generation(self.modalities, within, config)
        self.adapter: ExpertLayer | None = None
        if config.moe:
            self.adapter = ExpertLayer(within, _EXPERTS, _WITHIN, residual=True, config=config)
            _as_drawn(self.adapter, config)
            self._last.mlp.requires_grad_(False)
        self.reduce: nn.ModuleDict | None = None
        if config.global_local:
            self.reduce = nn.ModuleDict({m: GlobalLocal(self.width) for m in self.modalities})
        self.heads = Heads(class_widths(config, self.modalities, self.width), data.classes)

    def forward(self, tokens: Tensor) -> Tensor:
        """The tokens behind the last block's attention, before what follows it.

        Args:
            tokens: (n, modalities, t, width), as `start` gives them; so is what comes back.
        """
        found = tokens.flatten(0, 1)
        for block in self.backbone.encoder.blocks[:-1]:
            found = block(found)
        last = self._last
        return (found + last.attn(last.norm1(found))).view_as(tokens)

    def start(self, batch: Batch) -> Started:
        """The tokens of all images, with what others make of them; a batch of training or test."""
        streams = self.backbone
        tokens = streams.apart(
            streams.encoder.placed(*streams.together(batch.images, batch.camids))
        )
        routed: dict[str, Routed] = {}
        if self.generation is not None and self._has_experts(len(batch.pids)):
            tokens, routed = self.generation(tokens, batch.present, self._limited)
        return Started(streams.encoder.ln_pre(torch.stack(list(tokens.values()), 1)), routed)

    def finish(self, tokens: Tensor) -> Finished:
        """The class tokens of what the forward pass gave, (n, modalities, t, width)."""
        last, encoder = self._last, self.backbone.encoder
        normed, routed = last.norm2(tokens), {}
        if self.adapter is not None and self._has_experts(len(tokens)):
            # Image by image, so that the capacity is one of tokens of all modalities.
            found = self.adapter(normed.flatten(0, 1), self._limited)
            tokens, routed = tokens + found.output.view_as(tokens), {"adapter": found}
        else:
            tokens = tokens + last.mlp(normed)
        ended = encoder.finish(tokens)
        parts = dict(zip(self.modalities, ended.unbind(1), strict=True))
        if self.reduce is None:
            return Finished({m: t[:, 0] for m, t in parts.items()}, routed)
        return Finished({m: self.reduce[m](t) for m, t in parts.items()}, routed)

    def descriptors(self, batch: Batch) -> Tensor:
        """(n, d * modalities), the class tokens side by side, 1536 as published."""
        ended = self.finish(self(self.start(batch).tokens))
        whole = torch.cat(list(ended.globals.values()), 1)
        return functional.normalize(whole) if self.config.normalise else whole

    @property
    def _last(self) -> Block:
        return cast(Block, self.backbone.encoder.blocks[-1])

    @property
    def _limited(self) -> bool:
        """Whether experts refuse tokens: in training always, as published."""
        return self.training or self.config.capacity == "batch"

    def _has_experts(self, samples: int) -> bool:
        return self.config.capacity == "none" or samples * len(self.modalities) > _FEW


def _as_drawn(layer: ExpertLayer, config: MFRNetConfig) -> None:
    """The start of the adapter, where it is not torch's own."""
    nn.init.trunc_normal_(layer.gate.projector.weight, std=0.02)
    nn.init.zeros_(layer.gate.projector.bias)
    if config.experts_init == "zero":
        return
    for linear in (m for m in layer.experts.modules() if isinstance(m, nn.Linear)):
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
