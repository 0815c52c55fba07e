"""What the tests of the cross-modal methods share: batches, models, a fill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from harness.spec.method import Batch, DataInfo
from harness.spec.modality import MODALITIES, Modality
from tests.golden import SETTINGS, inputs

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


Value = Callable[[str, tuple[int, ...]], NDArray[Any]]


def fill(model: nn.Module, value: Value) -> None:
    """Give every parameter and buffer what `value` says for its key and shape."""
    state = model.state_dict()
    for key, now in state.items():
        drawn = value(key, tuple(now.shape))
        state[key] = torch.from_numpy(np.array(drawn)).reshape(now.shape).to(now.dtype)
    model.load_state_dict(state)
