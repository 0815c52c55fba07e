"""A device other than the CPU: its name, what is free on it, and reference arithmetic there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def named(device: torch.device) -> str | None:
    """The name of an accelerator, or None for the CPU, where NumPy does what torch would."""
    return None if str(device) == "cpu" else str(device)


def free_bytes(device: torch.device) -> int | None:
    """Bytes of a GPU that new tensors may take; None where the device is no GPU.

    What torch keeps for tensors that are gone counts as free, since torch gives it to new ones
    before it asks the driver for more; the driver alone would count it as used.
    """
    import torch

    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(free + kept)


@contextlib.contextmanager
def reference_numerics() -> Iterator[None]:
    """Within, convolutions and products are in float32, and cuDNN adds in one order.

    Left alone, torch computes convolutions on a GPU in TF32, of 11 bits. Nothing of it outlives
    the block; on a CPU it changes no number. A run, which lives for a process, is told by its
    recipe's mode instead.
    """
    import torch

    products = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        ):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = products
