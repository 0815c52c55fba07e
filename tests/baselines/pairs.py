"""What the tests of the cross-modal methods share: batches, models, the public networks' fill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality
from tests.golden import SETTINGS, filled, inputs

GOLDEN = Path(__file__).parent / "golden"
SETTING = SETTINGS["small"]._replace(height=96, width=48)
PAIR: tuple[Modality, ...] = ("RGB", "TI")


def data_info(modalities: tuple[Modality, ...] = PAIR, classes: int = 6) -> DataInfo:
    """What a method is built with, small and without pretrained weights."""
    return DataInfo(classes, modalities, 64, 32, "none")


def small_batch(
    modalities: tuple[Modality, ...] = PAIR,
    pids: tuple[int, ...] = (1, 1, 4, 4),
    absent: dict[Modality, list[int]] | None = None,
) -> Batch:
    """Random images of 64 x 32; `absent` names rows without an image."""
    images, present = {}, {}
    for modality in modalities:
        draw = torch.Generator().manual_seed(MODALITIES.index(modality))
        there = torch.ones(len(pids), dtype=torch.bool)
        there[(absent or {}).get(modality, [])] = False
        drawn = torch.randn(len(pids), 3, 64, 32, generator=draw)
        images[modality] = drawn * there[:, None, None, None]
        present[modality] = there
    return Batch(images, present, torch.tensor(pids))


def only(batch: Batch, *modalities: Modality) -> Batch:
    """The batch as a side that has these modalities alone."""
    return Batch(
        {m: batch.images[m] for m in modalities},
        {m: batch.present[m] for m in modalities},
        batch.pids,
    )


def golden_batch() -> Batch:
    """The golden RGB and TI images in float64."""
    images = inputs(SETTING)
    return Batch(
        {m: images[m].double() for m in PAIR},
        {m: torch.ones(len(SETTING.labels), dtype=torch.bool) for m in PAIR},
        torch.tensor(SETTING.labels),
    )


def golden_numbers(name: str) -> dict[str, NDArray[Any]]:
    """What the public network computed."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        return {key: file[key] for key in file.files}


Value = Callable[[str, tuple[int, ...]], NDArray[Any]]


def fill(model: nn.Module, value: Value) -> None:
    """Give every parameter and buffer what `value` says for its key and shape."""
    state = model.state_dict()
    for key, now in state.items():
        drawn = value(key, tuple(now.shape))
        state[key] = torch.from_numpy(np.array(drawn)).reshape(now.shape).to(now.dtype)
    model.load_state_dict(state)


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
