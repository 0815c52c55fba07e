"""How the residual blocks of a network start that learns from nothing."""

from __future__ import annotations

from torch import nn

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm, nn.LayerNorm)


def start_residuals_at_one(model: nn.Module) -> int:
    """Set the scale of every normalisation that starts at zero to one, as torch itself does.

    timm starts the last normalisation of a residual block at zero, so that the block passes its
    input on at first (Goyal et al. 2017, arXiv 1706.02677, section 5.1); torchvision, from which
    most code of the field takes its networks, at one.

    Returns:
        How many there were.
    """
    found = [m for m in model.modules() if isinstance(m, _NORMS) and m.weight is not None]
    zero = [m for m in found if not m.weight.any()]
    for norm in zero:
        nn.init.ones_(norm.weight)
    return len(zero)
