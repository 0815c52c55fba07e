"""How a translator computes, in training and after: in float32, in the same order every time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def reference_numerics() -> Iterator[None]:
    """Within, convolutions and products are in float32, and cuDNN adds in one order.

    Left alone, torch computes convolutions on a GPU in TF32, of 11 bits; a translator has no mode
    that would ask for that. Nothing of it outlives the block.
    """
    products = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        ):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = products
