"""Losses are averaged over an epoch, and one that is no number names the step it appeared in."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from harness.base.errors import TrainingError
from harness.training.losses import Losses

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def _terms(device: str, **values: float) -> dict[str, Tensor]:
    return {name: torch.tensor(value, device=device) for name, value in values.items()}


@pytest.mark.parametrize("device", DEVICES)
def test_the_mean_is_over_the_steps(device: str) -> None:
    losses = Losses(torch.device(device), 0)
    losses.add(_terms(device, id=1.0, triplet=4.0))
    losses.add(_terms(device, id=2.0))
    assert losses.means() == {"id": 1.5, "triplet": 2.0}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_cpu_stops_at_the_very_step(bad: float) -> None:
    losses = Losses(torch.device("cpu"), 1)
    losses.add(_terms("cpu", id=1.0, triplet=4.0))
    losses.add(_terms("cpu", id=1.0, triplet=4.0))
    with pytest.raises(TrainingError) as caught:
        losses.add(_terms("cpu", id=1.0, triplet=bad))
    assert caught.value.seen == f"the loss term 'triplet' became {bad} in epoch 2, step 3"
    assert "optimiser.lr" in caught.value.do and "precision=float32" in caught.value.do


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_is_not_waited_for_and_knows_the_step() -> None:
    losses = Losses(torch.device("cuda"), 0)
    steps = [_terms("cuda", id=v, triplet=4.0) for v in (1.0, math.inf, -math.inf, 1.0)]
    torch.cuda.set_sync_debug_mode("error")
    try:
        for terms in steps:
            losses.add(terms)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    with pytest.raises(TrainingError, match="'id' became nan in epoch 1, step 2"):
        losses.means()
