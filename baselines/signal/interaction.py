"""Selective interaction (SIM): class tokens choose patches, and look at what was chosen."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from harness.spec.modality import Modality

_HEADS = 8


class PatchSelection(nn.Module):
    """Which patches are kept: chosen by their own class token, or by that of another modality.

    The choice of others is by two linear layers that no gradient reaches, since a choice has
    none; with a third, unused one they stay what they were drawn as. They are frozen, so that no
    optimiser moves them either.

    Args:
        width: d of the tokens.
        top_k: Patches that a class token chooses of its own; of the others twice as many.
    """

    def __init__(self, width: int, top_k: int) -> None:
        super().__init__()
        self.top_k = top_k
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.requires_grad_(False)

    def forward(self, classes: Tensor, patches: Tensor) -> Tensor:
        """(n, m, L) bool, the patches that are kept.

        Args:
            classes: (n, m, d), one of each of m modalities.
            patches: (n, m, L, d).
        """
        with torch.no_grad():
            kept = self.own(classes, patches)
            if classes.shape[1] == 1:
                return kept
            chosen = self.by_others(classes, patches)
            return kept | chosen.any(1)

    def own(self, classes: Tensor, patches: Tensor) -> Tensor:
        """(n, m, L) bool: each class token's choice of its own modality."""
        scores = torch.einsum("nmd,nmld->nml", classes, patches) * classes.shape[-1] ** -0.5
        return _best(scores.softmax(-1), self.top_k)

    def by_others(self, classes: Tensor, patches: Tensor) -> Tensor:
        """(n, m, m, L) bool: each class token's choice of the others, none of its own."""
        n, m, length, width = patches.shape
        key = self.key(patches).flatten(1, 2)
        scores = self.query(classes) @ key.mT * width**-0.5
        among = scores.softmax(-1).view(n, m, m, length)
        others = ~torch.eye(m, dtype=torch.bool, device=scores.device)
        # Shares are above 0 at most; its own patches come behind the last of the others.
        among = among.masked_fill(~others[:, :, None], -1)
        count = min(2 * self.top_k, (m - 1) * length)
        return _best(among.flatten(2), count).view(n, m, m, length)


class Interaction(nn.Module):
    """The class tokens ask all patches, of which those not kept are zero and stay.

    A zero patch is a key equal to the key's bias, and takes its part in the softmax.

    Args:
        width: d of the tokens.
        top_k: As of `PatchSelection`.
    """

    def __init__(self, width: int, top_k: int) -> None:
        super().__init__()
        self.selection = PatchSelection(width, top_k)
        self.attention = nn.MultiheadAttention(width, _HEADS, batch_first=True)
        self.norm1 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.norm2 = nn.LayerNorm(width)

    def forward(self, tokens: Mapping[Modality, Tensor]) -> Tensor:
        """(n, m * d), the new class tokens side by side, of tokens each (n, 1 + L, d)."""
        every = torch.stack(list(tokens.values()), 1)
        classes, patches = every[:, :, 0], every[:, :, 1:]
        kept = self.selection(classes, patches)
        seen = (patches * kept[..., None]).flatten(1, 2)
        met = self.norm1(classes + self.attention(classes, seen, seen, need_weights=False)[0])
        out: Tensor = self.norm2(met + self.mlp(met))
        return out.flatten(1)


def _best(scores: Tensor, count: int) -> Tensor:
    """Where the `count` largest along the last axis are, bool."""
    chosen = scores.topk(count, dim=-1).indices
    return torch.zeros_like(scores, dtype=torch.bool).scatter_(-1, chosen, True)
