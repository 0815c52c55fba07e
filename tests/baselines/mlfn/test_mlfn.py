"""MLFN equals its public implementation, and loads its public weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from baselines.mlfn.method import MLFNStreams
from baselines.mlfn.network import MLFN
from baselines.shared.stream_config import StreamConfig
from harness.base.errors import CheckpointError
from tests.baselines.streams import SMALL, Case, fake_file, holds_against_public, info

METHOD = MLFNStreams()
CASE = Case(METHOD, StreamConfig(), "mlfn", SMALL)


def test_equals_the_public_network() -> None:
    holds_against_public(CASE)


def test_parameters_are_those_printed() -> None:
    """32.5 M in torchreid's model zoo, which counts no classifier."""
    with torch.device("meta"):
        assert sum(p.numel() for p in MLFN().parameters()) == 32_473_024


def test_public_weights_are_loaded_and_misfits_are_named(tmp_path: Path) -> None:
    path = tmp_path / "mlfn.pth"
    state = fake_file(CASE, path)
    data = info(SMALL, ("NI",))._replace(pretrained=str(path))
    network = METHOD.build(StreamConfig(), data).networks["NI"]
    names = METHOD.names(StreamConfig())
    ours = {names.of(k): v for k, v in network.state_dict().items()}
    assert all(torch.equal(value, state[key]) for key, value in ours.items())
    assert set(state) - set(ours) == {"classifier.weight", "classifier.bias"}

    del state["feature.3.fsm.4.weight"]
    torch.save(state, path)
    with pytest.raises(CheckpointError, match=r"1 missing: feature\.3\.fsm\.4\.weight"):
        METHOD.build(StreamConfig(), data)
