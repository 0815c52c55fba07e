"""What a model costs, where torch's own counting falls short."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from harness.runs.cost import measure

TOKENS, WIDTH = 9, 8


class Attending:
    """A method whose descriptor is attention and nothing else."""

    def embed(self, model: nn.Module, batch: Tensor) -> Tensor:
        found: Tensor = scaled_dot_product_attention(batch, batch, batch)
        return found.mean((1, 2))


def test_operations_of_fused_attention_are_counted() -> None:
    """Two products of tokens by tokens by width, two operations a multiply-add, two heads."""
    batches: Any = SimpleNamespace(
        test=lambda row, modalities: torch.ones(1, 2, TOKENS, WIDTH),
        recipe=SimpleNamespace(mode="exact", precision="float32"),
        device=torch.device("cpu"),
    )
    method: Any = Attending()
    cost = measure(method, nn.Identity(), batches, np.array([0]), ("RGB",))
    assert cost["gflops"] * 1e9 == 2 * (2 * 2 * TOKENS * TOKENS * WIDTH)
