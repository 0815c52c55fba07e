"""Checkpoints as people save them: wrapped, prefixed, and with things beside the weights."""

from __future__ import annotations

import argparse
import datetime
import pickle
from collections import OrderedDict
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from harness.base.errors import CheckpointError
from harness.training.checkpoint import load_into, read_weights, save_weights


def _net(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


def _state(prefix: str = "") -> dict[str, Tensor]:
    return OrderedDict((prefix + k, v) for k, v in _net().state_dict().items())


def _loaded(content: object, folder: Path) -> dict[str, Tensor]:
    path = folder / "w.pth"
    torch.save(content, path)
    model = _net(seed=1)
    load_into(model, read_weights(path)[0], path.name)
    return model.state_dict()


_BESIDE: dict[str, Any] = {
    "optimizer": torch.optim.Adam(_net().parameters()).state_dict(),
    "epoch": 80,
    "mAP": np.float64(0.4),
    "rank1": np.float32(0.5),
    "cmc": np.linspace(0, 1, 20),
    "names": np.array(["a", "b"]),
    "args": argparse.Namespace(lr=0.1, gpu="0", cams=[1, 2]),
    "from": SimpleNamespace(folder=Path("logs"), other=PureWindowsPath("C:/logs")),
    "when": datetime.datetime(2026, 11, 28, tzinfo=datetime.UTC),
}


def _trained_optimiser() -> dict[str, Any]:
    model = _net()
    optimiser = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 3, 5, 5)).sum().backward()
    optimiser.step()
    return optimiser.state_dict()


@pytest.mark.parametrize(
    "prefix",
    ["", "module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module.model."],
)
@pytest.mark.parametrize(
    "entry",
    [(), ("model",), ("net",), ("state_dict",), ("model_state_dict",), ("params",), ("a", "net")],
)
def test_the_state_dict_is_found_under_its_entry_and_prefix(
    entry: tuple[str, ...], prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content: Any = _state(prefix)
    for key in reversed(entry):
        content = {**_BESIDE, key: content}
    found = _loaded(content, tmp_path)
    assert all(torch.equal(v, found[k]) for k, v in _state().items())
    said = capsys.readouterr().err
    if entry:
        assert f"took 7 tensors under {'.'.join(entry)}" in said
        assert "left out" in said and "epoch (int)" in said and "optimizer (dict of 2" in said
    assert not prefix or "without" in said


def test_an_optimisers_tensors_are_no_weights(tmp_path: Path) -> None:
    found = _loaded({"optimizer": _trained_optimiser(), "weights_of_mine": _state()}, tmp_path)
    assert torch.equal(found["0.weight"], _state()["0.weight"])


def test_the_model_goes_before_its_moving_average(tmp_path: Path) -> None:
    average = {k: v * 0 for k, v in _state().items()}
    found = _loaded({"state_dict_ema": average, "state_dict": _state()}, tmp_path)
    assert torch.equal(found["0.weight"], _state()["0.weight"])


def test_a_compiled_part_and_numbers_among_the_tensors(tmp_path: Path) -> None:
    inner = {k.replace("0.", "0._orig_mod.", 1): v for k, v in _state().items()}
    found = _loaded({**inner, "epoch": 3}, tmp_path)
    assert torch.equal(found["0.weight"], _state()["0.weight"])


def test_a_model_whose_own_names_begin_like_a_wrappers(tmp_path: Path) -> None:
    model = nn.ModuleDict({"model": _net()})
    save_weights(tmp_path / "w.safetensors", model, {})
    torch.save(model.state_dict(), tmp_path / "w.pth")
    for name in ("w.safetensors", "w.pth"):
        fresh = nn.ModuleDict({"model": _net(seed=1)})
        load_into(fresh, read_weights(tmp_path / name)[0], name)
        assert torch.equal(fresh["model"][0].weight, model["model"][0].weight)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"epoch": 3, "args": argparse.Namespace()}, ["epoch (int)", "args (Namespace)"]),
        ({}, ["nothing"]),
        ({"body": _state(), "head": _state()}, ["several", "body (7 tensors)", "head (7 tensors)"]),
        ({"model": {"w": "text"}}, ["model (dict of 1 str)"]),
        ({"cmc": np.zeros(2), "mAP": 0.5}, ["cmc (ndarray)"]),
    ],
)
def test_what_cannot_be_found_says_what_is_there(
    content: object, words: list[str], tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(CheckpointError) as caught:
        read_weights(tmp_path / "w.pth")
    assert all(word in str(caught.value) for word in words), caught.value


class _Config(dict):  # type: ignore[type-arg]
    """Stands for the settings of another program, which would have to be imported."""


@pytest.mark.parametrize("content", [{"model": _state(), "cfg": _Config()}, _net()])
def test_a_type_that_is_code_is_named(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"holds a (tests\.|test_wrappers|torch\.nn\.)"):
        read_weights(tmp_path / "w.pth")


def _arrays() -> dict[str, Any]:
    return {name: value.numpy() for name, value in _state().items()}


def _sparse() -> dict[str, Tensor]:
    return {k: v.to_sparse() if v.ndim > 1 else v for k, v in _state().items()}


@pytest.mark.parametrize("content", [_arrays(), {"net": _arrays(), "cmc": np.ones(3)}, _sparse()])
def test_numbers_kept_in_another_way_are_the_same_weights(
    content: dict[str, Any], tmp_path: Path
) -> None:
    assert all(torch.equal(v, _state()[k]) for k, v in _loaded(content, tmp_path).items())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
        (b"<!DOCTYPE html>", "web page"),
        (b"PK\x03\x04 cut", "cut short"),
        (b"\x1f\x8b\x08", "unpack it first"),
        (pickle.dumps({"model": 1}), "it is a pickle"),
        (b"weights", "begins with b'weights'"),
        (b"", "it is empty"),
    ],
)
def test_a_file_that_is_none_says_what_it_is(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        read_weights(tmp_path / "w.pth")
    assert words in caught.value.seen and "weights_only" not in str(caught.value)


def test_a_plain_pickle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(pickle.dumps({"model": 1}, protocol=2))
    with pytest.raises(CheckpointError, match=r"w\.pth"):
        read_weights(tmp_path / "w.pth")
