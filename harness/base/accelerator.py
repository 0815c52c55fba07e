"""What is asked of a device other than the CPU: whether there is one, and what is free on it."""

from __future__ import annotations

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
