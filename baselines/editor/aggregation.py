"""HMA: kept tokens are refined within each modality, then over all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from timm.layers import Mlp
from torch import Tensor, nn
from torch.nn import functional

from baselines.shared.reid_vit import start_narrow
from harness.spec.modality import Modality

LETTERS: dict[Modality, str] = {"RGB": "R", "NI": "N", "TI": "T"}
THEIR_NAMES: dict[Modality, str] = {"RGB": "RGB", "NI": "NIR", "TI": "TIR"}
"""What the authors' parameters call a modality, in two ways."""


class Aggregated(NamedTuple):
    """What HMA gives, by modality."""

    tokens: dict[Modality, Tensor]
    """Each (n, 1 + patches, d), zero where not kept."""
    own: dict[Modality, Tensor]
    """Each (n, d): the class token after the modality's own layer."""


class MaskedAttention(nn.Module):
    """Self-attention without biases that neither looks at tokens left out nor changes them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width, bias=False)

    def forward(self, tokens: Tensor, kept: Tensor) -> Tensor:
        """(n, t, d), zero in the rows not kept.

        Args:
            tokens: (n, t, d).
            kept: (n, t) bool, one at least in each sample.
        """
        n, length, width = tokens.shape
        packed = self.qkv(tokens).reshape(n, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        found = functional.scaled_dot_product_attention(
            *packed.unbind(0), attn_mask=kept[:, None, None, :]
        )
        joined = found.transpose(1, 2).reshape(n, length, width)
        out: Tensor = self.proj(joined * kept[..., None])
        return out


class Centres(nn.Module):
    """OCFR's moving centres of each identity and modality, as buffers: no gradient, saved."""

    def __init__(self, modalities: tuple[Modality, ...], classes: int, width: int) -> None:
        super().__init__()
        for modality in modalities:
            self.register_buffer(f"{THEIR_NAMES[modality]}_centers", torch.zeros(classes, width))

    def of(self, modality: Modality) -> Tensor:
        """(classes, width)."""
        return self.get_buffer(f"{THEIR_NAMES[modality]}_centers")


class Aggregation(nn.Module):
    """HMA, with the centres of OCFR as the authors keep them inside it.

    A layer is pre-norm, its normalised input is zero where not kept, and it has no biases but
    the norms'; so tokens that are not kept stay zero throughout.

    Args:
        width, heads: Of the tokens and the attention.
        modalities: Of the run, in order.
        classes: Identities of train.
    """

    def __init__(
        self, width: int, heads: int, modalities: tuple[Modality, ...], classes: int
    ) -> None:
        super().__init__()
        self.modalities = modalities
        for letter in (LETTERS[m] for m in modalities):
            self.add_module(f"norm{letter}", nn.LayerNorm(width))
            self.add_module(f"attn{letter}", MaskedAttention(width, heads))
            self.add_module(f"norm{letter}_", nn.LayerNorm(width))
            self.add_module(f"mlp{letter}", Mlp(width, 4 * width, bias=False))
        self.norm1 = nn.LayerNorm(width)
        self.attn1 = MaskedAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, 4 * width, bias=False)
        self.out_norm = nn.LayerNorm(width)
        self.apply(start_narrow)
        self.memory_cls = Centres(modalities, classes, width)

    def forward(self, tokens: Mapping[Modality, Tensor], kept: Tensor) -> Aggregated:
        """The aggregated tokens.

        Args:
            tokens: By modality, each (n, 1 + patches, d), zero where not kept.
            kept: (n, 1 + patches) bool; the class token always is.
        """
        own = {}
        for modality in self.modalities:
            names = (f"{part}{LETTERS[modality]}{end}" for part, end in _PARTS)
            own[modality] = _layer(tokens[modality], kept, *map(self.get_submodule, names))
        all_kept = kept.repeat(1, len(own))
        joined = torch.cat(list(own.values()), 1)
        joined = _layer(joined, all_kept, self.norm1, self.attn1, self.norm2, self.mlp)
        joined = self.out_norm(joined) * all_kept[..., None]
        parts = joined.chunk(len(own), dim=1)
        return Aggregated(dict(zip(own, parts, strict=True)), {m: x[:, 0] for m, x in own.items()})


_PARTS = (("norm", ""), ("attn", ""), ("norm", "_"), ("mlp", ""))


def _layer(
    tokens: Tensor,
    kept: Tensor,
    norm1: nn.Module,
    attention: nn.Module,
    norm2: nn.Module,
    mlp: nn.Module,
) -> Tensor:
    mask = kept[..., None]
    tokens = tokens + attention(norm1(tokens) * mask, kept)
    out: Tensor = tokens + mlp(norm2(tokens) * mask)
    return out
