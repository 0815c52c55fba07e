"""Torch's switches of precision and order: set as the mode says, and read without an error."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager

import torch
from torch import backends

from harness.spec.recipe import Recipe


def set_numerics(recipe: Recipe, device: torch.device) -> None:
    """Set every switch of torch that the mode decides; they hold for the whole process.

    `exact`: float32 products in float32 and, where torch has them, algorithms that add in the
    same order every time. `fast` on a GPU: TF32, the quickest algorithm whatever its order. On a
    CPU adding in order costs nothing worth mentioning, so both modes do.
    """
    loose = recipe.mode == "fast" and device.type == "cuda"
    # cuBLAS reads this when it starts; without it, deterministic products are refused.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(not loose, warn_only=True)
    # Filling memory nobody reads costs time and changes no number of ours.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    backends.cudnn.benchmark = loose
    _set_tf32(loose)
    # Fused attention adds gradients in any order. A CPU's is of one order, and reads one of these.
    ordered = device.type == "cuda" and not loose
    backends.cuda.enable_flash_sdp(not ordered)
    backends.cuda.enable_mem_efficient_sdp(not ordered)
    backends.cuda.enable_cudnn_sdp(not ordered)
    backends.cuda.enable_math_sdp(True)


def _set_tf32(allowed: bool) -> None:
    """Whether a GPU may compute float32 in TF32, which has 11 bits; a CPU never computes in less.

    Torch has an old and a new way to say it, and reading by one what was set by the other raises.
    Cleared by the new and set by the old, both can be read, whatever was set before. Left alone,
    convolutions are computed in TF32 even where products are not.
    """
    for part in (backends, backends.cudnn, backends.mkldnn):
        part.fp32_precision = "none"  # type: ignore[attr-defined]
    for part in (backends.mkldnn.conv, backends.mkldnn.rnn):  # type: ignore[attr-defined]
        part.fp32_precision = "none"
    torch.set_float32_matmul_precision("high" if allowed else "highest")
    backends.cudnn.allow_tf32 = allowed


def tf32() -> dict[str, bool]:
    """What a GPU computes in TF32 now; readable whatever was set in between, and by which way."""
    return {
        "convolutions": backends.cudnn.conv.fp32_precision == "tf32",  # type: ignore[attr-defined]
        "products": backends.cuda.matmul.fp32_precision == "tf32",
    }


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """The block without autocast and without TF32, for distances and places.

    A distance is the small difference of large numbers, and eight or eleven bits lose it.

    Args:
        device: Where the block computes.
    """
    plain = torch.autocast(device.type, enabled=False)
    # The compiler makes no products of what stands in such a block, and cannot follow the switch.
    if torch.compiler.is_compiling() or not tf32()["products"]:
        return plain
    return _without_tf32(plain)


@contextlib.contextmanager
def _without_tf32(plain: torch.autocast) -> Iterator[None]:
    backends.cuda.matmul.allow_tf32 = False
    try:
        with plain:
            yield
    finally:
        backends.cuda.matmul.allow_tf32 = True
