"""What a feature of each set of modalities is made of (HDM), and how they are weighed (ATMoE)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import cast

import torch
from timm.layers import QuickGELU
from torch import Tensor, nn

from harness.spec.modality import Modality

_HEAD = 64
"""Width of one head of the queries' attention."""


def sets_of(modalities: tuple[Modality, ...]) -> list[tuple[Modality, ...]]:
    """Every set of modalities that is not empty, the small ones first: R, N, T, RN, RT, NT, RNT."""
    return [s for k in range(1, len(modalities) + 1) for s in combinations(modalities, k)]


class HierarchicalDecoupling(nn.Module):
    """HDM: for each set of modalities a learned query attends to all of their tokens.

    No positions, no residual, no normalisation.

    Args:
        modalities: Of the run.
        width: d of the tokens.
        dropout: Of the attention.
    """

    def __init__(self, modalities: tuple[Modality, ...], width: int, dropout: float) -> None:
        super().__init__()
        self.sets = sets_of(modalities)
        heads = max(1, width // _HEAD)
        self.queries = nn.ParameterDict(
            {set_name(s): nn.Parameter(width**-0.5 * torch.randn(1, 1, width)) for s in self.sets}
        )
        self.attention = nn.ModuleDict(
            {
                set_name(s): nn.MultiheadAttention(width, heads, dropout, batch_first=True)
                for s in self.sets
            }
        )

    def forward(self, tokens: Mapping[Modality, Tensor]) -> Tensor:
        """(n, sets, d), one vector for each set, of tokens each (n, 1 + L, d)."""
        found = []
        for one in self.sets:
            seen = torch.cat([tokens[m] for m in one], 1)
            query = self.queries[set_name(one)].to(seen.dtype).repeat(len(seen), 1, 1)
            attend = self.attention[set_name(one)]
            found.append(attend(query, seen, seen, need_weights=False)[0])
        return torch.cat(found, 1)


class AttentionExperts(nn.Module):
    """ATMoE: every vector cut into heads, each with an expert, weighed by an attention over them.

    Args:
        sets: Vectors of a sample.
        width: d of each.
        heads: H, parts of a vector.
    """

    def __init__(self, sets: int, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        part = width // heads
        self.mix = nn.Sequential(nn.Linear(sets * width, width), QuickGELU(), nn.BatchNorm1d(width))
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.experts = nn.ModuleList(
            nn.ModuleList(
                nn.Sequential(nn.Linear(part, part), QuickGELU(), nn.BatchNorm1d(part))
                for _ in range(sets)
            )
            for _ in range(heads)
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """(n, sets * d): vector by vector, the heads of each side by side, of (n, sets, d)."""
        gates = self.gates(vectors)
        parts = vectors.unflatten(2, (self.heads, -1))
        weighed = [
            torch.stack(
                [
                    expert(parts[:, j, h]) * gates[:, h, j, None]
                    for h, expert in enumerate(self._of_set(j))
                ],
                1,
            )
            for j in range(vectors.shape[1])
        ]
        return torch.stack(weighed, 1).flatten(1)

    def gates(self, vectors: Tensor) -> Tensor:
        """(n, H, sets), over the sets summing to 1: how much of each set a head takes."""
        query = self.query(self.mix(vectors.flatten(1))).unflatten(1, (self.heads, -1))
        key = self.key(vectors).unflatten(2, (self.heads, -1))
        scores = torch.einsum("nhc,nshc->nhs", query, key) * query.shape[-1] ** -0.5
        gates: Tensor = scores.softmax(-1)
        return gates

    def _of_set(self, j: int) -> list[nn.Module]:
        return [cast(nn.ModuleList, own)[j] for own in self.experts]


def set_name(modalities: tuple[Modality, ...]) -> str:
    """The name of a set among the parameters, such as `RGB` or `RGB_TI`."""
    return "_".join(modalities)
