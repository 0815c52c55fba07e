"""OSNet equals its public implementation, and loads its public weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from baselines.osnet.config import OSNetConfig
from baselines.osnet.method import OSNetStreams
from baselines.osnet.network import OSNet
from harness.base.errors import CheckpointError, PretrainedError
from tests.baselines.streams import SMALL, Case, fake_file, holds_against_public, info
from tests.conftest import Harness

METHOD = OSNetStreams()
CASES = [
    Case(METHOD, OSNetConfig(), "osnet_x1_0", SMALL),
    Case(METHOD, OSNetConfig(width=0.25), "osnet_x0_25", SMALL),
]


@pytest.mark.parametrize("case", CASES, ids=[c.file for c in CASES])
def test_equals_the_public_network(case: Case) -> None:
    holds_against_public(case)


@pytest.mark.parametrize(
    ("width", "count", "printed"),
    [
        (1.0, 2_169_508, 2.2),
        (0.75, 1_285_754, 1.3),
        (0.5, 630_034, 0.6),
        (0.25, 201_864, 0.2),
    ],
)
def test_parameters_are_those_printed(width: float, count: int, printed: float) -> None:
    """Without classifier, as torchreid's model zoo counts."""
    assert sum(p.numel() for p in OSNet(width).parameters()) == count
    assert round(count / 1e6, 1) == printed


def test_public_weights_go_into_every_stream(tmp_path: Path) -> None:
    path = tmp_path / "osnet_x0_25_imagenet.pth"
    config = OSNetConfig(width=0.25)
    state = fake_file(CASES[1], path)
    model = METHOD.build(config, info(SMALL)._replace(pretrained=str(path)))
    for network in model.networks.values():
        ours = {METHOD.names(config).of(k): v for k, v in network.state_dict().items()}
        assert all(torch.equal(value, state[key]) for key, value in ours.items())
        assert len(ours) == len(state) - 2, "all but the classifier were used"


def test_weights_of_another_width_are_named(tmp_path: Path) -> None:
    path = tmp_path / "osnet_x0_25_imagenet.pth"
    fake_file(CASES[1], path)
    with pytest.raises(CheckpointError) as caught:
        METHOD.build(OSNetConfig(width=0.5), info(SMALL)._replace(pretrained=str(path)))
    assert "conv1.conv.weight (16x3x7x7 in the file, 32x3x7x7 in the model)" in caught.value.seen
    assert "osnet_x0_5" in caught.value.expected


def test_a_file_with_a_strange_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.pth"
    fake_file(CASES[1], path, **{"conv2.0.IN.weight": torch.zeros(64)})
    with pytest.raises(CheckpointError, match=r"1 unexpected: conv2\.0\.IN\.weight"):
        METHOD.build(OSNetConfig(width=0.25), info(SMALL)._replace(pretrained=str(path)))


def test_imagenet_says_where_the_file_is_to_be_had() -> None:
    with pytest.raises(PretrainedError) as caught:
        METHOD.build(OSNetConfig(width=0.25), info(SMALL)._replace(pretrained="imagenet"))
    assert "MODEL_ZOO" in caught.value.expected
    assert "osnet_x0_25" in caught.value.expected
    assert "--set pretrained=/path/to/osnet_x0_25_imagenet.pth" in caught.value.do


def test_no_such_file_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(PretrainedError, match="there is no file"):
        METHOD.build(OSNetConfig(), info(SMALL)._replace(pretrained=str(tmp_path / "none.pth")))


def test_another_width_than_the_published_is_refused(harness: Harness) -> None:
    answer = harness("run", "--method", "osnet", "--set", "config.width=0.3", "--json")
    assert answer.code == 2
    assert "0.3" in answer.error["seen"]
    assert "1.0, 0.75, 0.5, 0.25" in answer.error["expected"]
