"""Batch normalisation over the images of all processes, on any device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, distributed
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class SynchronisedNorm(TorchFunctionMode):
    """Within, every batch normalisation in train mode is over the images of all processes.

    It takes the place of `torch.nn.functional.batch_norm`, so that it reaches every layer that
    normalises, also those of timm that are no `nn.BatchNorm2d`, and no module, parameter or name
    of the model changes. torch's own `SyncBatchNorm` does not run on a CPU.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Torch calls this in the place of every function of its own."""
        if func is functional.batch_norm:
            return _batch_norm(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _batch_norm(
    images: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """As `torch.nn.functional.batch_norm`, over (n, channels, ...) of all processes."""
    if not training:
        return functional.batch_norm(
            images, running_mean, running_var, weight, bias, False, momentum, eps
        )
    mean, var, count = _statistics(images.detach())
    # Two of one's own are enough; only else is it worth to wait for the number.
    if images[:, :1].numel() < 2 and int(count) < 2:
        # torch's own error for a batch of one, which the loop explains
        raise ValueError(f"Expected more than 1 value per channel when training, got {count}")
    if running_mean is not None and running_var is not None:
        with torch.no_grad():
            running_mean.lerp_(mean.to(running_mean.dtype), momentum)
            running_var.lerp_((var * count / (count - 1)).to(running_var.dtype), momentum)
    out: Tensor = _Normalise.apply(images, weight, bias, mean, var, count, eps)
    return out


def _statistics(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and biased variance of every channel, and how many values it has: of all, float64."""
    flat = images.transpose(0, 1).flatten(1)
    count = flat.shape[1]
    wide = flat.to(torch.promote_types(flat.dtype, torch.float32))
    var, mean = (
        torch.var_mean(wide, dim=1, correction=0) if count else wide.new_zeros((2, len(flat)))
    )
    own = torch.cat([mean, var, mean.new_full((1,), count)]).double()
    parts = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, own)
    whole = torch.stack(parts)
    means, variances, counts = whole[:, : len(flat)], whole[:, len(flat) : -1], whole[:, -1:]
    total: Tensor = counts.sum()
    centre = (means * counts).sum(0) / total
    # Chan's formula: the variance within the parts and that of their means
    spread = ((variances + (means - centre).square()) * counts).sum(0) / total
    return centre, spread, total


class _Normalise(torch.autograd.Function):
    """(x - mean) / sqrt(var + eps) * weight + bias, where mean and var come from all processes."""

    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        mean: Tensor,
        var: Tensor,
        count: Tensor,
        eps: float,
    ) -> Tensor:
        kind = torch.promote_types(images.dtype, torch.float32)
        ctx.count = count
        scale = (var + eps).rsqrt().to(kind)
        ctx.save_for_backward(images, weight, mean.to(kind), scale)
        return functional.batch_norm(
            images, mean.to(kind), var.to(kind), weight, bias, False, 0, eps
        )

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """The usual gradient; its two sums over the batch are summed over the processes, too.

        The gradients of weight and bias are this process's part, as those of all parameters.
        """
        images, weight, mean, scale = ctx.saved_tensors
        along = [1, -1, *[1] * (images.ndim - 2)]
        others = [0, *range(2, images.ndim)]
        grad = grads[0].to(mean.dtype)
        unit = (images.to(mean.dtype) - mean.view(along)) * scale.view(along)
        own = torch.stack([grad.sum(others), (grad * unit).sum(others)])
        sums = own.clone()
        distributed.all_reduce(sums)
        straight, slanted = (sums / ctx.count.to(sums.dtype)).unbind(0)
        factor = scale if weight is None else scale * weight
        moved = (grad - straight.view(along) - unit * slanted.view(along)) * factor.view(along)
        by_weight = own[1].to(weight.dtype) if weight is not None else None
        by_bias = own[0].to(grads[0].dtype if weight is None else weight.dtype)
        wanted = ctx.needs_input_grad
        return (
            moved.to(images.dtype) if wanted[0] else None,
            by_weight if wanted[1] else None,
            by_bias if wanted[2] else None,
            *[None] * 4,
        )
