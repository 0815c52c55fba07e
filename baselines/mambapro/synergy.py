"""Prompts of every modality in each block of the encoder (SRP), and an MLP beside its own (PFA)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from timm.layers import QuickGELU
from timm.models.vision_transformer import Block
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from baselines.mambapro.config import MambaProConfig
from harness.spec.modality import Modality


class Addition(nn.Module):
    """What is added to one block.

    Everything is there whatever the options, as in the authors' checkpoints; what they switch off
    is frozen.

    Args:
        modalities: Of the run.
        width: Of the tokens.
        config: Prompts, and what is switched on.
        first: Whether the block is the first, to which no prompt is carried.
    """

    def __init__(
        self, modalities: tuple[Modality, ...], width: int, config: MambaProConfig, first: bool
    ) -> None:
        super().__init__()
        self.modalities = modalities
        self.config = config
        self.prompts = nn.ParameterDict(
            {m: nn.Parameter(torch.zeros(config.prompts, width)) for m in modalities}
        )
        self.guests = nn.ModuleDict({m: _mlp(width, width // 2) for m in modalities})
        self.transfer = _mlp(width, width // 2)
        self.beside = _mlp(width, 2 * width)
        for prompt in self.prompts.parameters():
            prompt.requires_grad_(config.prompt)
        self.guests.requires_grad_(config.prompt and len(modalities) > 1)
        self.transfer.requires_grad_(config.prompt and not first)
        self.beside.requires_grad_(config.adapter)

    def forward(
        self, block: Block, tokens: Tensor, carried: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """The block's tokens, and what is carried to the next.

        Args:
            block: Of the encoder.
            tokens: (m * n, t, width), modality after modality.
            carried: (m * n, prompts, width), by the block before.
        """
        length = tokens.shape[1]
        if self.config.prompt:
            tokens = torch.cat([tokens, self._appended(len(tokens), carried)], 1)
        tokens = tokens + block.attn(block.norm1(tokens))
        added = block.mlp(block.norm2(tokens))
        if self.config.adapter:
            added = added + self.beside(tokens)
        tokens = tokens + added
        if not self.config.prompt:
            return tokens, None
        groups = tokens[:, length:].unflatten(1, (len(self.modalities), -1))
        return tokens[:, :length], groups.mean(1)

    def _appended(self, count: int, carried: Tensor | None) -> Tensor:
        """(m * n, m * prompts, width): prompts of all modalities, the image's own among them."""
        each = count // len(self.modalities)
        own = {m: self.prompts[m].expand(each, -1, -1) for m in self.modalities}
        if carried is not None:
            parts = (carried + self.transfer(carried)).chunk(len(self.modalities))
            own = {m: own[m] + part for m, part in zip(self.modalities, parts, strict=True)}
        guests = {m: (p + self.guests[m](p)).expand(each, -1, -1) for m, p in self.prompts.items()}
        rows = [
            torch.cat([own[m] if m == target else guests[m] for m in self.modalities], 1)
            for target in self.modalities
        ]
        return torch.cat(rows)


class Additions(nn.ModuleList):
    """What is added to all blocks of an encoder.

    Args:
        modalities, width, config: As of `Addition`.
    """

    def __init__(
        self, modalities: tuple[Modality, ...], width: int, config: MambaProConfig
    ) -> None:
        super().__init__(
            Addition(modalities, width, config, first=i == 0) for i in range(config.encoder.depth)
        )
        self.recompute = config.recompute

    def forward(self, blocks: Sequence[nn.Module], tokens: Tensor) -> Tensor:
        """The last block's tokens, of tokens (m * n, t, width), modality after modality."""
        carried: Tensor | None = None
        for addition, block in zip(self, blocks, strict=True):
            if self.recompute and self.training:
                # Nothing is drawn in a block, so that no generator has to be put back.
                tokens, carried = checkpoint(
                    addition, block, tokens, carried, use_reentrant=False, preserve_rng_state=False
                )
            else:
                tokens, carried = addition(cast(Block, block), tokens, carried)
        return tokens


def _mlp(width: int, within: int) -> nn.Sequential:
    found = nn.Sequential(nn.Linear(width, within), QuickGELU(), nn.Linear(within, width))
    for linear in (found[0], found[2]):
        nn.init.trunc_normal_(linear.weight, std=0.02)
        nn.init.zeros_(linear.bias)
    return found
