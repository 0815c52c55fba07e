"""The training loop on a made-up array: what a loss that is no number leaves behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from harness.base.errors import Stopped, TrainingError
from harness.data.arrays import ImageArrays
from harness.spec.method import Batch
from harness.spec.recipe import Input, Optimiser, Recipe, Sampler, Schedule
from harness.training.batches import Batches
from harness.training.loop import Training, train
from harness.training.weights import read_about

STEPS = 4
"""Of an epoch: one of the four images of each of four identities to a batch."""


class Breaks:
    """A loss that is no number at one step of the training, counted from 1."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.steps = 0

    def loss(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        self.steps += 1
        found = model(batch.images["RGB"].flatten(1)).square().mean()
        return {"fine": found, "odd": found * (torch.nan if self.steps == self.at else 1)}


Made = Callable[..., Training]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    def training(method: Any, **changes: Any) -> Training:
        recipe = Recipe(
            name="r",
            track="smoke",
            method="m",
            dataset="d",
            protocol="full",
            epochs=3,
            input=Input(height=16, width=16),
            sampler=Sampler(identities=4, instances=1),
            optimiser=Optimiser(name="adam", lr=0.01),
            **changes,
        )
        pixels = np.random.default_rng(0).integers(0, 256, (16, 1, 16, 16, 3), np.uint8)
        there = np.ones((16, 1), dtype=bool)
        names = tuple(map(str, range(16)))
        arrays = ImageArrays(pixels, there, ("RGB",), {"train": np.arange(16)}, names, "key")
        return Training(
            method=method,
            recipe=recipe,
            seed=0,
            batches=Batches(arrays, recipe, torch.device("cpu")),
            rows=np.arange(16),
            labels=np.arange(16) // 4,
            modalities=("RGB",),
            folder=tmp_path,
            key="key",
        )

    return training


def _model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(768, 2)


def test_a_loss_that_is_no_number_names_its_step_and_leaves_the_checkpoint(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.training.loop._PATIENCE", 0.0)
    broken = Breaks(at=STEPS + 3)
    with pytest.raises(TrainingError, match="'odd' became nan in epoch 2, step 3") as caught:
        train(made(broken), _model())
    assert broken.steps == STEPS + 3, "it went on"
    assert "last checkpoint" in caught.value.do
    assert read_about(tmp_path / "checkpoint.safetensors")["epoch"] == 1
    # What goes on from there ends where an unbroken training does.
    resumed, whole = _model(), _model()
    rest = Breaks(at=None)
    train(made(rest), resumed)
    assert rest.steps == 2 * STEPS
    (tmp_path / "checkpoint.safetensors").unlink()
    train(made(Breaks(at=None)), whole)
    assert torch.equal(resumed.weight, whole.weight)  # type: ignore[arg-type]


def test_the_log_has_the_rate_of_each_epoch(made: Made) -> None:
    schedule = Schedule(kind="cosine_to_floor", warmup_epochs=2, warmup_start=0.5, floor=0.001)
    log = train(made(Breaks(at=None), schedule=schedule), _model())
    assert [row["lr"] for row in log] == pytest.approx([0.0075, 0.01 * (0.25 + 0.75e-3), 1e-5])


class Asks:
    """A loss with chance in it and state in buffers, where a signal comes in the middle of a step.

    What `start_epoch` does to the buffers depends on the steps before, as in DDAG.
    """

    def __init__(self, at: int | None, number: int = signal.SIGUSR2) -> None:
        self.at, self.number, self.steps = at, number, 0

    def start_epoch(self, model: Any, epoch: int) -> None:
        model.weight_of_loss.copy_(1 / (1 + model.total))
        model.total.zero_()

    def loss(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        self.steps += 1
        if self.steps == self.at:
            os.kill(os.getpid(), self.number)
        out = nn.functional.dropout(model(batch.images["RGB"].flatten(1)), 0.5)
        found = out.square().mean()
        model.total += found.detach()
        return {"fine": found * model.weight_of_loss}


def _counting() -> nn.Module:
    model = _model()
    for name in ("total", "weight_of_loss"):
        model.register_buffer(name, torch.zeros(()))
    return model


@pytest.mark.parametrize("number", [signal.SIGUSR2, signal.SIGTERM])
@pytest.mark.parametrize("at", [2, STEPS, STEPS + 3, 3 * STEPS])
def test_asked_to_stop_it_saves_after_the_step_and_goes_on_to_the_same_weights(
    made: Made, tmp_path: Path, at: int, number: int
) -> None:
    handlers = [signal.getsignal(s) for s in (signal.SIGUSR2, signal.SIGTERM)]
    stopped = Asks(at, number)
    with pytest.raises(Stopped) as caught:
        train(made(stopped), _counting())
    assert stopped.steps == at, "it did not stop after the step it was in"
    assert caught.value.exit_code == 128 + number
    assert [signal.getsignal(s) for s in (signal.SIGUSR2, signal.SIGTERM)] == handlers
    resumed, whole, rest = _counting(), _counting(), Asks(None)
    log = train(made(rest), resumed)
    assert rest.steps == 3 * STEPS - at, "steps were taken twice or left out"
    (tmp_path / "checkpoint.safetensors").unlink()
    unbroken = train(made(Asks(None)), whole)
    assert [row["losses"] for row in log] == [row["losses"] for row in unbroken]
    for name, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value), name


def test_a_training_that_is_lost_is_not_saved_when_asked_to_stop(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a GPU, where nobody asks after each step whether the loss is still a number.
    monkeypatch.setattr("harness.training.losses.Losses.stepped", _counted)

    class Lost(Asks):
        def loss(self, model: Any, batch: Batch) -> dict[str, Tensor]:
            return {"fine": super().loss(model, batch)["fine"] * torch.nan}

    with pytest.raises(TrainingError, match="became nan in epoch 1, step 1"):
        train(made(Lost(at=3)), _counting())
    assert not (tmp_path / "checkpoint.safetensors").exists()


def _counted(losses: Any) -> None:
    losses._steps += 1
