"""The authors' checkpoints: names both ways, what loads and what is refused."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from harness.base.errors import CheckpointError
from harness.spec.modality import MODALITIES
from harness.training.weights import read_file
from ieee.config import IEEEConfig
from ieee.method import IEEE
from ieee.model import IEEENet
from ieee.official import (
    is_official,
    load_official,
    official_name,
    our_name,
    to_our_names,
)


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    """A small network's state under the authors' names, all zeros but of the right shapes."""
    with torch.device("meta"):
        net = IEEENet(IEEEConfig(), classes=5)
    return {
        official_name(k): torch.zeros_like(v, device="cpu") for k, v in net.state_dict().items()
    }


def test_names_and_shapes_are_the_authors(golden: Any) -> None:
    with torch.device("meta"):
        net = IEEENet(IEEEConfig(), classes=171)
    ours = {official_name(k): tuple(v.shape) for k, v in net.state_dict().items()}
    assert ours == golden.shapes


def test_names_go_both_ways(state: dict[str, Tensor]) -> None:
    ours = [our_name(k) for k in state]
    assert len(set(ours)) == len(state)
    assert [official_name(k) for k in ours] == list(state)


@pytest.mark.parametrize("key", ["backbone.3.conv1.weight", "fc_R.weight", "CA.0.fc.0", ""])
def test_a_name_of_nothing_is_an_error(key: str) -> None:
    with pytest.raises(CheckpointError, match="no counterpart"):
        our_name(key)
    with pytest.raises(CheckpointError, match="no counterpart"):
        official_name(key)


@pytest.mark.parametrize(
    ("dropped", "switch"),
    [
        (("convOne", "convAvgRest", "CA."), "interaction"),
        (("CA.",), "attention"),
        (("REM",), "rem"),
    ],
)
def test_an_ablation_is_read_off_the_keys(
    state: dict[str, Tensor], dropped: tuple[str, ...], switch: str
) -> None:
    net = load_official({k: v for k, v in state.items() if not k.startswith(dropped)})
    assert getattr(net.config, switch) is False
    assert net.modalities == MODALITIES


def test_classes_and_stripes_are_read_off_the_keys() -> None:
    with torch.device("meta"):
        net = IEEENet(IEEEConfig(parts=2), classes=3)
    small = {
        official_name(k): torch.ones_like(v, device="cpu") for k, v in net.state_dict().items()
    }
    loaded = load_official({"state_dict": {f"module.{k}": v for k, v in small.items()}, "epoch": 6})
    assert loaded.config.parts == 2
    assert loaded.training
    assert all((v == 1).all() for v in loaded.state_dict().values())
    assert loaded.streams["TI"].heads.classify[1].weight.shape == (3, 128)  # type: ignore[union-attr, index]


def test_loading_leaves_the_given_tensors_alone(state: dict[str, Tensor]) -> None:
    net = load_official(state)
    with torch.no_grad():
        for p in net.parameters():
            p.fill_(1)
    assert all((v == 0).all() for v in state.values())


def test_missing_keys_are_named(state: dict[str, Tensor]) -> None:
    gone = [k for k in state if k.startswith("reduce_layer.1")]
    with pytest.raises(CheckpointError) as caught:
        load_official({k: v for k, v in state.items() if k not in gone})
    assert f"{len(gone)} missing: {gone[0]}" in caught.value.seen
    assert f"and {len(gone) - 3} more" in caught.value.seen
    assert caught.value.do


def test_unexpected_keys_are_named(state: dict[str, Tensor]) -> None:
    with pytest.raises(CheckpointError, match=r"1 unexpected: backbone\.0\.fc\.weight"):
        load_official(state | {"backbone.0.fc.weight": torch.zeros(2)})


def test_another_class_count_is_named_with_both_shapes(state: dict[str, Tensor]) -> None:
    odd = state | {"classifier_T.3.weight": torch.zeros(7, 128)}
    with pytest.raises(CheckpointError, match=r"classifier_T\.3\.weight \(7x128 .* 5x128"):
        load_official(odd)


@pytest.mark.parametrize("other", [{}, {"conv1.weight": torch.zeros(1)}])
def test_another_network_is_refused(other: dict[str, Tensor]) -> None:
    with pytest.raises(CheckpointError, match="no classifier_R"):
        load_official(other)


def test_import_state_translates_only_the_authors_names(state: dict[str, Tensor]) -> None:
    ours = to_our_names(state)
    assert not is_official(ours)
    assert IEEE().import_state(ours) is ours
    prefixed = {f"module.{k}": v for k, v in state.items()}
    assert IEEE().import_state(prefixed).keys() == ours.keys()


def checkpoint(**more: Any) -> dict[str, Any]:
    """What the authors' training writes, with one parameter instead of 800."""
    weight = torch.nn.Parameter(torch.randn(2, 3))
    optimiser = torch.optim.SGD([weight], 0.1, momentum=0.9, nesterov=True)
    weight.sum().backward()
    optimiser.step()
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimiser, [20, 40])
    return {
        "state_dict": {"module.REM.0.conv_part.weight": weight.detach()},
        "epoch": 60,
        "mAP": np.float64(0.4642),
        "optimizer": optimiser.state_dict(),
        "scheduler": scheduler.state_dict(),
        **more,
    }


@pytest.mark.parametrize("numpy_name", [b"numpy._core.multiarray", b"numpy.core.multiarray"])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_a_checkpoint_file_is_read(tmp_path: Path, kind: Any, numpy_name: bytes) -> None:
    path = tmp_path / "model.pth.tar-60"
    torch.save(checkpoint(mAP=kind(0.5)), path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"numpy._core.multiarray", numpy_name))
    content = read_file(path)
    assert content["mAP"] == 0.5
    assert list(to_our_names(content)) == ["streams.RGB.rem.part.weight"]


def test_todays_file_format_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.pth.tar-60"
    torch.save(checkpoint(), path)
    assert read_file(path)["epoch"] == 60


class Runs:
    """An object that would write a file while it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return (Path.touch, (self.target,))


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pth.tar-60"
    torch.save(checkpoint(extra=Runs(tmp_path / "ran")), path)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_file(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("extra", [np.array([object()]), Fraction(1, 2)])
def test_other_objects_are_refused(tmp_path: Path, extra: Any) -> None:
    path = tmp_path / "model.pth.tar-60"
    torch.save(checkpoint(extra=extra), path)
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_file(path)


def test_absent_damaged_and_foreign_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no file"):
        read_file(tmp_path / "none")
    (tmp_path / "cut").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_file(tmp_path / "cut")
    torch.save([1, 2], tmp_path / "list")
    with pytest.raises(CheckpointError, match="holds a list"):
        read_file(tmp_path / "list")
