"""The recipe's optimiser, with its groups of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from harness.spec.recipe import Optimiser


class _Group(NamedTuple):
    scale: float
    """Of the recipe's rate."""
    weight_decay: float


def make_optimiser(
    settings: Optimiser,
    model: nn.Module,
    scales: Sequence[tuple[float, Iterable[nn.Parameter]]] = (),
) -> torch.optim.Optimizer:
    """The recipe's optimiser over every parameter that is trained.

    Torch's fused form, which goes over the numbers once: two to four times as quick as the plain
    one, and a step's digits are the plain one's to an ulp (SGD) or four (Adam). What a step gives
    no gradient is left alone, decay included.

    Args:
        scales: Parameters that learn at so many times the rate, biases among them; kept as `scale`
            of their group. The recipe's factor for biases is for those not named here.
    """
    scale_of = {id(p): scale for scale, params in scales for p in params}
    groups: dict[_Group, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            group = _group(settings, name, scale_of.get(id(parameter)))
            groups.setdefault(group, []).append(parameter)
    params: list[dict[str, Any]] = [
        {"params": found, **group._asdict(), "lr": settings.lr * group.scale}
        for group, found in groups.items()
    ]
    if settings.name == "sgd":
        # Torch refuses Nesterov without momentum; without momentum the two are the same.
        nesterov = settings.nesterov and settings.momentum > 0
        return torch.optim.SGD(
            params, settings.lr, settings.momentum, nesterov=nesterov, fused=True
        )
    kind = torch.optim.Adam if settings.name == "adam" else torch.optim.AdamW
    return kind(params, settings.lr, fused=True)


def _group(settings: Optimiser, name: str, scale: float | None) -> _Group:
    decay = settings.weight_decay
    if "bias" not in name.rpartition(".")[2]:
        return _Group(1.0 if scale is None else scale, decay)
    if settings.bias_weight_decay is not None:
        decay = settings.bias_weight_decay
    return _Group(settings.bias_lr_factor if scale is None else scale, decay)
