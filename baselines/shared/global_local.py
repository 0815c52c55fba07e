"""A class token that learns of the patches behind it."""

from __future__ import annotations

import torch
from timm.layers import QuickGELU
from torch import Tensor, nn


class GlobalLocal(nn.Sequential):
    """The class token together with the mean over the patches (DeMo's PIFE).

    Args:
        width: d of the tokens.
    """

    def __init__(self, width: int) -> None:
        super().__init__(nn.LayerNorm(2 * width), nn.Linear(2 * width, width), QuickGELU())

    def forward(self, tokens: Tensor) -> Tensor:
        """The new class token, (n, d), of tokens (n, 1 + L, d)."""
        both = torch.cat([tokens[:, 0], tokens[:, 1:].mean(1)], 1)
        joined: Tensor = super().forward(both)
        return joined
