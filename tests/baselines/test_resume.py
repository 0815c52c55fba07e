"""A training that was stopped in the middle of an epoch goes on to the same weights, bit by bit."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import Stopped
from harness.runs.plan import Plan, plan_run
from harness.runs.run import execute
from harness.spec.changes import flat
from harness.spec.plugins import load_plugins, load_target
from tests.baselines.test_conformance import SMALL

PLUGINS = load_plugins()
SIZE = ("epochs=2", "input.height=64", "input.width=32", "augmentation.pad=4")
STOP = 3
"""Steps; the drawn set has two an epoch, so that this is the first of the second."""


def _plan(method: str, drawn: Path, out: Path) -> Plan:
    options = flat(SMALL.get(method, {}))
    changes = [f"config.{key}={str(value).lower()}" for key, value in options.items()]
    sampled = ("sampler.identities=2", "sampler.instances=4")
    given: dict[str, Any] = {"dataset": str(drawn), "recipe": "smoke", "out": out}
    return plan_run(method, changes=(*SIZE, *sampled, *changes), plugins=PLUGINS, **given)


def _stopping(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    """Let the third loss of a method come with a signal."""
    method = type(load_target(target, "the method")())
    loss: Callable[..., Any] = method.loss
    steps = 0

    def counted(*words: Any, **more: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == STOP:
            os.kill(os.getpid(), signal.SIGTERM)
        return loss(*words, **more)

    monkeypatch.setattr(method, "loss", counted)


@pytest.mark.parametrize(
    "method",
    [
        "demo",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name, info in PLUGINS.methods.items()
            if "ViT" in info.backbone and name != "demo"
        ),
    ],
)
def test_it_goes_on_to_the_same_weights(
    method: str, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = execute(_plan(method, drawn, tmp_path / "whole"), 7).path
    with monkeypatch.context() as patch:
        _stopping(patch, PLUGINS.method(method).target)
        with pytest.raises(Stopped, match="step 1 of 2 in epoch 2"):
            execute(_plan(method, drawn, tmp_path / "stopped"), 7)
    again = execute(_plan(method, drawn, tmp_path / "stopped"), 7).path
    for name in ("weights.safetensors", "features.npz"):
        assert again.with_name(name).read_bytes() == whole.with_name(name).read_bytes(), name
