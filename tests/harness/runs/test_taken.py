"""Runs that differ at test alone share one training, and nothing else is ever taken."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SMALL, Answer, Harness

Run = Callable[..., Answer]


@pytest.fixture(scope="module")
def plugin(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The README's method, which takes absent modalities, too."""
    path = tmp_path_factory.mktemp("taken") / "tiny.py"
    before = "METHOD = MethodInfo("
    assert before in tiny.read_text()
    path.write_text(tiny.read_text().replace(before, f'{before}missing="zero_normalised", '))
    return path


@pytest.fixture
def run(harness: Harness, plugin: Path, drawn: Path, tmp_path: Path) -> Run:
    def started(out: str, protocol: str, *more: object) -> Answer:
        words = ["run", "--method", "tiny", "--plugin", plugin, "--recipe", "smoke", *SMALL]
        words += ["--dataset", drawn, "--protocol", protocol, "--out", tmp_path / out, "--json"]
        found = harness(*words, *more)
        assert found.code == 0, found.err
        return found

    return started


def _folder(answer: Answer) -> Path:
    return Path(answer.json["record"]).parent


def test_a_training_serves_every_protocol_with_its_train_side(
    run: Run, harness: Harness, tmp_path: Path
) -> None:
    first, shared, alone = run("a", "full"), run("a", "-RGB"), run("b", "-RGB")
    assert "taken over" in shared.err
    assert "taken over" not in first.err + alone.err
    for name in ("weights.safetensors", "features.npz"):
        assert (_folder(shared) / name).read_bytes() == (_folder(alone) / name).read_bytes()
    record = json.loads((_folder(shared) / "record.json").read_text())
    origin = json.loads((_folder(first) / "record.json").read_text())
    assert record["cost"]["trained_in"] == origin["run_id"]
    assert record["training"] == origin["training"]
    assert "trained_in" not in origin["cost"]
    assert harness("verify", _folder(shared)).code == 0
    # The third names the run that was trained, not the one it was found in.
    (_folder(first) / "weights.safetensors").unlink()
    third = json.loads((_folder(run("a", "-NI")) / "record.json").read_text())
    assert third["cost"]["trained_in"] == origin["run_id"]


@pytest.mark.parametrize("change", ["seed", "epochs", "weights", "record"])
def test_another_training_is_not_taken(run: Run, change: str) -> None:
    folder = _folder(run("a", "full"))
    more: tuple[object, ...] = ()
    if change == "seed":
        more = ("--seed", 41)
    elif change == "epochs":
        more = ("--set", "epochs=1")
    elif change == "weights":
        with (folder / "weights.safetensors").open("r+b") as file:
            file.seek(-1, 2)
            file.write(b"\x3f")
    else:
        (folder / "record.json").unlink()
    found = run("a", "-RGB", *more)
    assert "taken over" not in found.err
    assert "trained_in" not in json.loads((_folder(found) / "record.json").read_text())["cost"]
