"""Many small tensors sent to a device by one copy."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def sent(parts: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """The same tensors on the device, in their order.

    A copy from ordinary memory waits until the device has done all it was told before, so an epoch
    sends what its steps need in one, and a step takes its part without a copy.

    Args:
        parts: Of one dtype, on the CPU; any shapes.
        device: Where they go; where they are already, they are given back as they are.
    """
    if not parts or parts[0].device == device:
        return list(parts)
    whole = torch.cat([part.flatten() for part in parts]).to(device)
    pieces = torch.split(whole, [part.numel() for part in parts])
    return [piece.view(part.shape) for piece, part in zip(pieces, parts, strict=True)]
