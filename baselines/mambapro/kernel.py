"""The kernel of mamba_ssm, where it can be used instead of the plain scan."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from baselines.mambapro.scan import selective_scan
from harness.training.weights import first_line

Scan = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]

_SMALL = (2, 4, 3, 40)
"""n, D, N and L of what both are tried on; L is more than a chunk of the plain scan."""
_CLOSE = 1e-4
"""Of values and gradients, relative to the largest: float32 sums in another order."""


class Chosen(NamedTuple):
    """What computes the scans on a device."""

    scan: Scan
    words: str
    """For the record."""


@cache
def chosen(device: torch.device) -> Chosen:
    """The kernel if it is there and gives what the plain scan gives, else the plain scan.

    It is tried once a process, on small random numbers, with its gradients.
    """
    try:
        from mamba_ssm.ops.selective_scan_interface import selective_scan_fn
    except ImportError:
        return Chosen(selective_scan, "plain: mamba_ssm is not installed")
    except Exception as error:  # what a library built for another CUDA raises, of many kinds
        return _plain(error)

    def kernel(
        u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, skip: Tensor, bias: Tensor
    ) -> Tensor:
        if u.dtype == torch.float64:
            return selective_scan(u, delta, a, b, c, skip, bias)
        with torch.autocast(u.device.type, enabled=False):
            u, delta, b, c = (x.float().contiguous() for x in (u, delta, b, c))
            rest = {"delta_bias": bias.float(), "delta_softplus": True}
            found: Tensor = selective_scan_fn(u, delta, a.float(), b, c, skip.float(), **rest)
            return found

    try:
        far = _difference(kernel, device)
    except Exception as error:  # such as on a CPU, which it was not written for
        return _plain(error)
    if not far <= _CLOSE:
        return _plain(f"it differs by {far:.1e}")
    return Chosen(torch.compiler.disable(kernel), f"mamba_ssm, {far:.1e} from the plain scan")


def _plain(why: object) -> Chosen:
    said = first_line(why) if isinstance(why, Exception) else str(why)
    return Chosen(selective_scan, f"plain: mamba_ssm cannot be used here: {said}")


def _difference(kernel: Scan, device: torch.device) -> float:
    """The largest difference of values and gradients, each relative to its largest number."""
    n, channels, states, length = _SMALL
    draw = torch.Generator().manual_seed(0)
    shapes = (
        *((n, channels, length),) * 2,
        (channels, states),
        *((n, states, length),) * 2,
        *((channels,),) * 2,
    )
    given = [torch.randn(*shape, generator=draw).to(device) for shape in shapes]
    given[2] = -given[2].exp()
    found = []
    with torch.enable_grad():
        for scan in (kernel, selective_scan):
            inputs = [x.clone().requires_grad_() for x in given]
            out = scan(*inputs)
            found.append([out.detach(), *torch.autograd.grad(out.square().sum(), inputs)])
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(*found, strict=True))
