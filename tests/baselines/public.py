"""What the tests hold against networks of public code: their numbers, their weights, how near."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tests.golden import filled

GOLDEN = Path(__file__).parent / "golden"


def golden_numbers(name: str) -> dict[str, NDArray[Any]]:
    """What the public network computed."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        return {key: file[key] for key in file.files}


def public_value(name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """What the public network has under one of its names."""
    return filled(name, shape, _RunningMeans())


class _RunningMeans:
    """The running means of the public networks, by a rule instead of a list."""

    def __contains__(self, name: object) -> bool:
        stem, _, leaf = str(name).rpartition(".")
        last = stem.rpartition(".")[2]
        return leaf == "running_mean" and (
            last.startswith(("bn", "bottleneck")) or stem.endswith(("downsample.1", "feat_block.1"))
        )


def near(ours: Any, golden: NDArray[Any], tolerance: float = 1e-9) -> None:
    """Equal to so much of the largest golden value."""
    found = ours.detach().numpy() if isinstance(ours, Tensor) else np.asarray(ours)
    # Without this, a wrong shape that broadcasts would pass.
    assert found.shape == golden.shape
    assert np.abs(found - golden).max() <= tolerance * np.abs(golden).max()


def gradient_norm(model: nn.Module) -> float:
    """L2 norm over all gradients."""
    squares = [(p.grad**2).sum() for p in model.parameters() if p.grad is not None]
    return float(torch.stack(squares).sum().sqrt())


def running_sum(model: nn.Module) -> float:
    """Sum of all running means and variances."""
    state = model.state_dict().items()
    return float(sum(v.sum() for k, v in state if k.endswith(("running_mean", "running_var"))))
