"""CLIP's text encoder, frozen, with learned vectors among its tokens."""

from __future__ import annotations

import torch
from timm.layers import Mlp, QuickGELU
from torch import Tensor, nn
from torch.nn import functional

from baselines.idea.config import TextShape
from baselines.idea.wording import FIRST_PROMPT
from harness.spec.text import CONTEXT, VOCABULARY


class TextEncoder(nn.Module):
    """A text as one vector: its end mark and the learned vectors, averaged.

    Everything but the learned vectors is frozen; the gradient passes through to them.

    Args:
        shape: Depth, width and heads.
        out: d of the vector.
        prompts: n, how many vectors are learned; with none the end mark alone is the text.
    """

    def __init__(self, shape: TextShape, out: int, prompts: int) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(VOCABULARY, shape.width)
        self.positional_embedding = nn.Parameter(0.01 * torch.randn(CONTEXT, shape.width))
        self.blocks = nn.ModuleList(
            CausalBlock(shape.width, shape.heads) for _ in range(shape.depth)
        )
        self.ln_final = nn.LayerNorm(shape.width)
        scale = shape.width**-0.5
        self.text_projection = nn.Parameter(scale * torch.randn(shape.width, out))
        self.requires_grad_(False)
        self.prompts: nn.Parameter | None = None
        if prompts:
            self.prompts = nn.Parameter(torch.randn(prompts, shape.width))

    def forward(self, ids: Tensor) -> Tensor:
        """(n, d) of (n, 77) int64 ids; the end mark is the first of the largest ids."""
        tokens = self.token_embedding(ids)
        rows = ids.argmax(1)[:, None]
        if self.prompts is not None:
            n = len(self.prompts)
            behind = CONTEXT - FIRST_PROMPT - n
            tokens = tokens + functional.pad(self.prompts, (0, 0, FIRST_PROMPT, behind))
            learned = torch.arange(FIRST_PROMPT, FIRST_PROMPT + n, device=ids.device)
            rows = torch.cat([rows, learned.expand(len(ids), -1)], 1)
        tokens = tokens + self.positional_embedding
        for block in self.blocks:
            tokens = block(tokens)
        # The rest is done for the tokens that count; the authors do it for all 77.
        kept = tokens.gather(1, rows[..., None].expand(-1, -1, tokens.shape[2]))
        text: Tensor = (self.ln_final(kept) @ self.text_projection).mean(1)
        return text


class CausalBlock(nn.Module):
    """A pre-norm block whose tokens see those before them; the names are those of timm's block.

    Args:
        width: Of the tokens.
        heads: Of the attention.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = CausalAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, 4 * width, act_layer=QuickGELU)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, t, width) of the same."""
        tokens = tokens + self.attn(self.norm1(tokens))
        after: Tensor = tokens + self.mlp(self.norm2(tokens))
        return after


class CausalAttention(nn.Module):
    """Attention of each token to itself and those before it.

    timm's own took no mask in the oldest version that is supported here.

    Args:
        width: Of the tokens.
        heads: Among which it is divided.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, t, width) of the same."""
        parts = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        found: Tensor = self.proj(seen.transpose(1, 2).flatten(2))
        return found
