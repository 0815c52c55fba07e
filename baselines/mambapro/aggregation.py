"""State spaces over the patches of one modality and of all (AAM)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.mambapro.config import MambaProConfig
from baselines.mambapro.kernel import chosen
from baselines.mambapro.scan import selective_scan
from harness.spec.modality import Modality

_JOINED = "joined"
"""The name of the sequence of all modalities."""


class StateSpace(nn.Module):
    """A memory of every channel, whose pace each token sets.

    Args:
        width: D, channels.
        config: Numbers of a channel's memory, rank of the steps, and which scan.
    """

    def __init__(self, width: int, config: MambaProConfig) -> None:
        super().__init__()
        self.sizes = [config.dt_rank, config.d_state, config.d_state]
        self.scan = config.scan
        self.decay_log = nn.Parameter(
            torch.arange(1, config.d_state + 1).float().log().repeat(width, 1)
        )
        self.skip = nn.Parameter(torch.ones(width))
        self.read = nn.Linear(width, sum(self.sizes), bias=False)
        self.step = nn.Linear(config.dt_rank, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, L, D), of tokens (n, L, D)."""
        rough, write, look = self.read(tokens).split(self.sizes, -1)
        # The bias of the steps is added in float32, within the scan.
        delta = functional.linear(rough, self.step.weight)
        scan = selective_scan if self.scan == "plain" else chosen(tokens.device).scan
        decay = -self.decay_log.exp()
        given = (tokens.mT, delta.mT, decay, write.mT, look.mT, self.skip, self.step.bias)
        kept: Tensor = self.norm(scan(*given).mT)
        return kept


class Mixing(nn.Module):
    """Patches become themselves and what a state space remembers of those before them.

    Args:
        kind: `intra`, a sequence for each modality; `inter`, one of all, one after the other.
        modalities: Of the run.
        width: d of the patches.
        grid: (h, w) patches.
        config: Of the state spaces.
    """

    def __init__(
        self,
        kind: Literal["intra", "inter"],
        modalities: tuple[Modality, ...],
        width: int,
        grid: tuple[int, int],
        config: MambaProConfig,
    ) -> None:
        super().__init__()
        self.kind, self.grid = kind, grid
        inner = config.expand * width
        self.enter = nn.ModuleDict({m: nn.Linear(width, 2 * inner, bias=False) for m in modalities})
        self.near = nn.ModuleDict(
            {
                m: nn.Sequential(
                    nn.Conv2d(inner, inner, 3, padding=1, groups=inner), nn.BatchNorm2d(inner)
                )
                for m in modalities
            }
        )
        sequences = modalities if kind == "intra" else (_JOINED,)
        self.forth = nn.ModuleDict({s: StateSpace(inner, config) for s in sequences})
        self.back: nn.ModuleDict | None = None
        if config.bidirectional:
            self.back = nn.ModuleDict({s: StateSpace(inner, config) for s in sequences})
        self.leave = nn.Linear(inner, width, bias=False)

    def forward(self, patches: Mapping[Modality, Tensor]) -> dict[Modality, Tensor]:
        """New patches, each (n, L, d), of patches row by row, each (n, L, d)."""
        inside, gates = {}, []
        for m, tokens in patches.items():
            inside[m], gate = self._entered(m, tokens)
            gates.append(gate)
        if self.kind == "intra":
            mixed = torch.cat([self._read(m, x) for m, x in inside.items()], 1)
        else:
            mixed = self._read(_JOINED, torch.cat(list(inside.values()), 1))
        out = self.leave(mixed * functional.silu(torch.cat(gates, 1)))
        parts = out.chunk(len(patches), 1)
        return {m: t + part for (m, t), part in zip(patches.items(), parts, strict=True)}

    def _entered(self, m: Modality, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """A sequence that knows its neighbours on the grid, and its gate, both (n, L, inner)."""
        content, gate = self.enter[m](tokens).chunk(2, -1)
        on_grid = self.near[m](content.mT.unflatten(2, self.grid))
        return functional.silu(on_grid).flatten(2).mT, gate

    def _read(self, name: str, sequence: Tensor) -> Tensor:
        found: Tensor = self.forth[name](sequence)
        if self.back is not None:
            found = found + self.back[name](sequence.flip(1)).flip(1)
        return found


class Aggregation(nn.Module):
    """The features of all modalities, of their class tokens and of the patches that were mixed.

    Args:
        modalities: Of the run.
        width: d of the tokens.
        grid: (h, w) patches.
        config: Blocks, and of the state spaces.
    """

    def __init__(
        self,
        modalities: tuple[Modality, ...],
        width: int,
        grid: tuple[int, int],
        config: MambaProConfig,
    ) -> None:
        super().__init__()
        kinds: tuple[Literal["intra", "inter"], ...] = ("intra", "inter")
        self.blocks = nn.ModuleList(
            nn.ModuleDict({kind: Mixing(kind, modalities, width, grid, config) for kind in kinds})
            for _ in range(config.blocks)
        )
        self.reduce = nn.ModuleDict(
            {
                m: nn.Sequential(nn.LayerNorm(2 * width), nn.Linear(2 * width, width))
                for m in modalities
            }
        )
        # All of them, the bias of the steps too, which Mamba starts otherwise: so the authors.
        for linear in (m for m in self.modules() if isinstance(m, nn.Linear)):
            nn.init.trunc_normal_(linear.weight, std=0.02)
            if linear.bias is not None:
                nn.init.zeros_(linear.bias)

    def forward(self, tokens: Mapping[Modality, Tensor]) -> Tensor:
        """(n, d * modalities), of tokens each (n, 1 + L, d)."""
        patches = {m: t[:, 1:] for m, t in tokens.items()}
        for block in self.blocks:
            for mixing in block.values():
                patches = mixing(patches)
        parts = [
            self.reduce[m](torch.cat([t[:, 0], patches[m].mean(1)], 1)) for m, t in tokens.items()
        ]
        return torch.cat(parts, 1)
