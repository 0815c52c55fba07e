"""The selective scan (Gu and Dao 2023, Mamba) in plain PyTorch, in little memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from harness.training.numerics import full_precision

_CHUNK = 32
"""Steps whose states are in memory together."""


# The compiler would write out every step of the loops.
@torch.compiler.disable
def selective_scan(
    u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, skip: Tensor, bias: Tensor
) -> Tensor:
    """Every channel's memory, read at every step.

    With dt = softplus(delta + bias) and h_0 = 0, in each of D channels with N numbers:
    h_t = exp(dt_t A) h_(t-1) + dt_t B_t u_t, and y_t = <C_t, h_t> + skip u_t.

    In float32 at least, whatever the autocast: a state is a product of hundreds of numbers. All
    states together are N times as large as u; only every thirty-second is kept, and going back
    the others are made again.

    Args:
        u, delta: (n, D, L).
        a: (D, N), negative, so that the memory fades.
        b, c: (n, N, L), the same for all channels.
        skip, bias: (D,).

    Returns:
        (n, D, L), float32 or wider.
    """
    with full_precision(u.device):
        kind = torch.promote_types(u.dtype, torch.float32)
        u, delta, a, b, c, skip, bias = (x.to(kind) for x in (u, delta, a, b, c, skip, bias))
        steps = functional.softplus(delta + bias[:, None])
        found: Tensor = _Scan.apply(*(x.movedim(2, 0) for x in (u * steps, steps, b, c)), a)
        return found.movedim(0, 2) + skip[:, None] * u


class _Scan(torch.autograd.Function):
    """y_t = <C_t, h_t> for h_t = exp(dt_t A) h_(t-1) + B_t x_t; time is the first axis of all."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, steps: Tensor, b: Tensor, c: Tensor, a: Tensor) -> Tensor:
        state = x.new_zeros(*x.shape[1:], a.shape[1])
        found, kept = [], []
        for now in _chunks(len(x)):
            kept.append(state)
            _, states = _states(x[now], steps[now], b[now], a, state)
            found.append(torch.einsum("tndk,tnk->tnd", states, c[now]))
            state = states[-1].clone()
        ctx.save_for_backward(x, steps, b, c, a, torch.stack(kept))
        return torch.cat(found)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        """From the last chunk to the first; what a state is worth comes from the later ones."""
        x, steps, b, c, a, kept = ctx.saved_tensors
        by_x, by_steps, by_b, by_c = (torch.empty_like(v) for v in (x, steps, b, c))
        by_a = torch.zeros_like(a)
        later = torch.zeros_like(kept[0])
        for i, now in reversed(list(enumerate(_chunks(len(x))))):
            decay, states = _states(x[now], steps[now], b[now], a, kept[i])
            worth = grad[now][..., None] * c[now][:, :, None]
            for t in reversed(range(len(worth))):
                worth[t] += later
                later = decay[t] * worth[t]
            by_c[now] = torch.einsum("tndk,tnd->tnk", states, grad[now])
            by_b[now] = torch.einsum("tndk,tnd->tnk", worth, x[now])
            by_x[now] = torch.einsum("tndk,tnk->tnd", worth, b[now])
            # By the exponent: what was remembered, times what it is worth.
            decay[1:] *= states[:-1]
            decay[0] *= kept[i]
            faded = decay.mul_(worth)
            by_steps[now] = torch.einsum("tndk,dk->tnd", faded, a)
            by_a += torch.einsum("tndk,tnd->dk", faded, steps[now])
        return by_x, by_steps, by_b, by_c, by_a


def _chunks(length: int) -> list[slice]:
    return [slice(i, min(i + _CHUNK, length)) for i in range(0, length, _CHUNK)]


def _states(
    x: Tensor, steps: Tensor, b: Tensor, a: Tensor, before: Tensor
) -> tuple[Tensor, Tensor]:
    """How much of the last state is left, and the states, both (t, n, D, N)."""
    decay = (steps[..., None] * a).exp()
    states = x[..., None] * b[:, :, None]
    for t in range(len(states)):
        states[t].addcmul_(decay[t], before)
        before = states[t]
    return decay, states
