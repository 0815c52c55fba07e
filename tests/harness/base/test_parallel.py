"""The same command by two processes: the same record but for the last digits, and one voice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from harness.base import parallel
from harness.evidence.features_file import read_own
from reid_datasets.synthesize import write_parallel
from tests.conftest import Answer, Harness, small_names
from tests.harness.launched import launched

TINY = (
    *("--set", "epochs=2", "--set", "input.height=64", "--set", "input.width=32"),
    *("--set", "sampler.identities=3", "--set", "sampler.instances=3"),
    # Adam makes steps of full length out of gradients that are zero but for rounding.
    *("--set", "optimiser.name=sgd", "--set", "optimiser.lr=0.01"),
)
"""Nine images a batch: four for one process and five for the other."""
CLOSE = 1e-5
"""Of losses, weights and descriptors, relative to the largest: float32 sums in another order."""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven train and nine test identities: two batches to embed."""
    out = tmp_path_factory.mktemp("drawn") / "set"
    folders = {"train_171": small_names(range(1, 8)), "test": small_names(range(11, 20))}
    write_parallel(out, folders, seed=3, size=(64, 32), name="parallel")
    return out


@pytest.fixture(scope="module")
def words(images: Path, tiny: Path) -> list[object]:
    method = ["--method", "tiny", "--plugin", tiny, "--dataset", images, "--recipe", "smoke"]
    return ["run", *method, *TINY, "--device", "cpu", "--json"]


@pytest.fixture(scope="module")
def together(words: list[object], tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """A run by two processes."""
    out = tmp_path_factory.mktemp("together")
    answer = launched("-m", "harness.cli", *words, "--out", out)
    assert answer.code == 0, answer.err
    return answer


def test_two_processes_give_what_one_gives(
    harness: Harness, words: list[object], together: Answer, tmp_path: Path
) -> None:
    alone = harness(*words, "--out", tmp_path)
    assert alone.code == 0, alone.err
    same_but_for_rounding(alone.json, together.json)


def same_but_for_rounding(alone: Any, together: Any) -> None:
    """Losses of every epoch, weights, descriptors and metrics of two runs."""
    folders = [Path(found["record"]).parent for found in (alone, together)]
    logs = [
        [json.loads(line)["losses"] for line in (f / "train.jsonl").read_text().splitlines()]
        for f in folders
    ]
    for one, two in zip(*logs, strict=True):
        assert two == pytest.approx(one, rel=CLOSE)
    one, two = (load_file(f / "weights.safetensors") for f in folders)
    assert one.keys() == two.keys()
    for name, values in one.items():
        np.testing.assert_allclose(two[name], values, atol=CLOSE * np.abs(values).max() + 1e-7)
    one, two = (read_own(f / "features.npz")[0].features for f in folders)
    np.testing.assert_allclose(two, one, atol=CLOSE * np.abs(one).max())
    # Distances that differ by less than the rounding may change places, which none do here.
    assert together["metrics"] == pytest.approx(alone["metrics"], abs=0.1)


def test_one_process_speaks_and_writes(together: Answer) -> None:
    found = together.json
    said = Counter(together.err.splitlines())
    epochs = [line for line in said if line.startswith("epoch ")]
    assert len(epochs) == 2 and all(said[line] == 1 for line in epochs)
    folder = Path(found["record"]).parent
    left = {path.name for path in folder.iterdir()}
    assert "weights.safetensors" in left and not [
        n for n in left if "checkpoint" in n or "tmp" in n
    ]


def test_the_record_says_how_many_and_holds(harness: Harness, together: Answer) -> None:
    path = Path(together.json["record"])
    about = json.loads(path.read_text())["environment"]
    assert about["processes"] == 2 and about["batch_norm"] == "synchronised"
    assert "gloo" in about["backend"]
    checked = harness("verify", path.parent, "--json")
    assert checked.code == 0, checked.out


def test_one_process_does_not_reproduce_what_two_made(harness: Harness, together: Answer) -> None:
    path = Path(together.json["record"])
    answer = harness("reproduce", path.parent, "--out", path.parents[2], "--json")
    assert answer.code == 2
    assert "trained by 2 processes" in answer.error["seen"]
    assert answer.error["do"].startswith("torchrun --standalone --nproc-per-node 2 --no-python")


def test_a_mistake_is_said_once(words: list[object], tmp_path: Path) -> None:
    answer = launched(
        "-m", "harness.cli", *words, "--set", "sampler.identitie=3", "--out", tmp_path
    )
    assert answer.code != 0
    assert answer.err.count("unknown recipe key 'sampler.identitie'") == 1
    assert json.loads(answer.out)["error"]["kind"] == "UnknownNameError"
    # Of our processes; torchrun itself always ends with 1.
    assert "exitcode  : 2" in answer.err


@pytest.mark.parametrize(
    ("size", "count", "unit", "want"),
    [
        (1, 7, 1, [7]),
        (2, 7, 1, [3, 4]),
        (3, 2, 1, [0, 1, 1]),
        (2, 100, 32, [64, 36]),
        (3, 30, 32, [0, 0, 30]),
        (2, 0, 32, [0, 0]),
    ],
)
def test_shares_are_in_order_and_whole(
    monkeypatch: pytest.MonkeyPatch, size: int, count: int, unit: int, want: list[int]
) -> None:
    things, found = list(range(count)), []
    for rank in range(size):
        as_process(monkeypatch, rank, size)
        found.append(things[parallel.share(count, unit)])
    assert [len(part) for part in found] == want
    assert [thing for part in found for thing in part] == things


def as_process(monkeypatch: pytest.MonkeyPatch, rank: int, size: int) -> None:
    """As torchrun would have started this one."""
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "test")
    for name, value in {"RANK": rank, "WORLD_SIZE": size, "LOCAL_RANK": rank}.items():
        monkeypatch.setenv(name, str(value))


def test_variables_of_others_do_not_make_a_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clusters set WORLD_SIZE for jobs of one process, too."""
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("RANK", "3")
    assert parallel.world() == (0, 1, 0) and parallel.is_main()


@pytest.mark.slow
def test_ieee_by_two_processes(harness: Harness, images: Path, tmp_path: Path) -> None:
    """Three steps at a rate at which rounding stays rounding.

    Over six steps at ten times that rate one process on two threads ends 2 % (of the 3M loss) from
    one process on one thread, and two processes as far: hard choices of a loss turn over.
    """
    small = ("config.backbone=resnet10t", "input.height=64", "input.width=32", "epochs=1")
    descent = ("optimiser.name=sgd", "optimiser.lr=0.0001")
    changes = [word for change in (*small, *descent) for word in ("--set", change)]
    method = ["run", "--method", "ieee", "--recipe", "smoke", "--dataset", images, "--json"]
    answers = [
        launched("-m", "harness.cli", *method, *changes, "--out", tmp_path / "two"),
        harness(*method, *changes, "--out", tmp_path / "one"),
    ]
    assert [a.code for a in answers] == [0, 0], answers
    together, alone = (a.json for a in answers)
    same_but_for_rounding(alone, together)


FAILING = """
import os, time
class Failing(Tiny):
    def loss(self, model, batch):
        if os.environ["RANK"] == "1":
            raise RuntimeError("only here")
        return super().loss(model, batch)
METHOD = MethodInfo(name="failing", target=f"{__name__}:Failing")
"""
STOPPING = """
import os, signal
class Stopping(Tiny):
    def start_epoch(self, model, epoch):
        if epoch == 1 and os.environ["RANK"] == os.environ.get("STOP"):
            os.kill(os.getpid(), signal.SIGKILL)
METHOD = MethodInfo(name="stopping", target=f"{__name__}:Stopping")
"""


def other(tiny: Path, more: str, path: Path) -> Path:
    """A plugin with the README's method, changed."""
    path.write_text(tiny.read_text() + more)
    return path


@pytest.mark.slow
def test_an_error_of_one_process_ends_all(words: list[object], tiny: Path, tmp_path: Path) -> None:
    plugin = other(tiny, FAILING, tmp_path / "failing.py")
    named = [plugin if w == tiny else "failing" if w == "tiny" else w for w in words]
    answer = launched("-m", "harness.cli", *named, "--out", tmp_path)
    assert answer.code != 0
    assert answer.err.count("harness failed: RuntimeError: only here") == 1
    assert answer.err.count("harness failed") == 1


@pytest.mark.slow
def test_two_go_on_where_two_were_cut_off(words: list[object], tiny: Path, tmp_path: Path) -> None:
    plugin = other(tiny, STOPPING, tmp_path / "stopping.py")
    named = [plugin if w == tiny else "stopping" if w == "tiny" else w for w in words]
    cut = launched("-m", "harness.cli", *named, "--out", tmp_path / "cut", STOP="1")
    assert cut.code != 0
    on = launched("-m", "harness.cli", *named, "--out", tmp_path / "cut")
    assert on.code == 0, on.err
    assert on.err.count("going on after epoch 1") == 1
    whole = launched("-m", "harness.cli", *named, "--out", tmp_path / "whole")
    folders = [Path(a.json["record"]).parent for a in (on, whole)]
    weights = [(f / "weights.safetensors").read_bytes() for f in folders]
    assert weights[0] == weights[1]


@pytest.mark.slow
def test_two_reproduce_what_two_made(together: Answer, tiny: Path, images: Path) -> None:
    path = Path(together.json["record"])
    more = ("--out", path.parents[2], "--plugin", tiny, "--dataset", images, "--json")
    answer = launched("-m", "harness.cli", "reproduce", path.parent, *more)
    assert answer.code == 0, answer.err
    assert answer.json["identical"] is True
