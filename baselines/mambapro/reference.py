"""The selective scan as it is written down: one step after the other."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def selective_scan(
    u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, skip: Tensor, bias: Tensor
) -> Tensor:
    """The slow twin of `baselines.mambapro.scan.selective_scan`, which says what the words mean."""
    steps = functional.softplus(delta + bias[:, None])
    state = u.new_zeros(*u.shape[:2], a.shape[1])
    found = []
    for t in range(u.shape[2]):
        step = steps[:, :, t, None]
        state = (step * a).exp() * state + step * b[:, None, :, t] * u[:, :, t, None]
        found.append((state * c[:, None, :, t]).sum(-1) + skip * u[:, :, t])
    return torch.stack(found, -1)
