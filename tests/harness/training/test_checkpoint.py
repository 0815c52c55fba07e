"""Weights and training state survive the disk bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from harness.base.errors import CheckpointError
from harness.spec.recipe import Optimiser
from harness.training.checkpoint import load_state, read_weights, save_state, save_weights
from harness.training.optimiser import make_optimiser


def _model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


def _step(model: nn.Module, optimiser: torch.optim.Optimizer, seed: int) -> None:
    x = torch.randn(16, 4, generator=torch.Generator().manual_seed(seed))
    optimiser.zero_grad()
    model(x).square().mean().backward()
    optimiser.step()


def _convolution() -> nn.Module:
    """In channels_last, as fast mode lays it out: what is loaded must lie so, too."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 8, 3), nn.Conv2d(8, 8, (1, 2)), nn.Flatten()]
    return nn.Sequential(nn.Unflatten(1, (1, 2, 2)), nn.ZeroPad2d(1), *layers).to(
        memory_format=torch.channels_last
    )


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("build", [_model, _convolution])
def test_a_training_goes_on_as_if_never_stopped(
    name: str, build: Callable[[], nn.Module], tmp_path: Path
) -> None:
    settings = Optimiser(name=name, lr=0.01)  # type: ignore[arg-type]
    whole = build()
    optimiser = make_optimiser(settings, whole)
    for step in range(4):
        _step(whole, optimiser, step)

    first = build()
    optimiser = make_optimiser(settings, first)
    for step in range(2):
        _step(first, optimiser, step)
    save_state(tmp_path / "state.safetensors", first, optimiser, {"epoch": 2})

    second = build()
    optimiser = make_optimiser(settings, second)
    assert load_state(tmp_path / "state.safetensors", second, optimiser) == {"epoch": 2}
    for step in (2, 3):
        _step(second, optimiser, step)
    for key, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[key]), key


def test_weights_carry_what_is_said_of_them(tmp_path: Path) -> None:
    model = _model()
    save_weights(tmp_path / "w.safetensors", model, {"classes": 2, "recipe": {"name": "x"}})
    state, about = read_weights(tmp_path / "w.safetensors")
    assert about == {"classes": 2, "recipe": {"name": "x"}}
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())


def test_a_torch_file_may_be_wrapped(tmp_path: Path) -> None:
    state = {f"module.{k}": v for k, v in _model().state_dict().items()}
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "w.pth")
    found, _ = read_weights(tmp_path / "w.pth")
    assert set(found) == set(_model().state_dict())


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04 cut"])
@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_a_damaged_file_is_named(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=name):
        read_weights(tmp_path / name)
