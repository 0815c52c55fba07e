"""Training a translator: resumed to the bit, never half there, honest about what is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors import safe_open

from harness.base.errors import TrainingError
from harness.base.hashing import file_digest
from harness.data.open import open_dataset
from harness.spec.plugins import load_plugins
from harness.training.weights import read_about
from harness.translate.apply import load_translator
from harness.translate.networks import Generator
from harness.translate.settings import make_settings
from harness.translate.training import train_translator, unpaired
from tests.conftest import Harness
from tests.harness.translate.conftest import TINY

WORDS = ("data", "train-translator", "--source", "RGB", "--target", "TI", *TINY, "--seed", "7")


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 99), st.integers(0, 99))
def test_an_epoch_shows_every_image_and_comes_from_its_number(
    n: int, m: int, seed: int, epoch: int
) -> None:
    source, target = np.arange(n), np.arange(100, 100 + m)
    plan = unpaired(source, target, seed, epoch)
    assert len(plan.source) == len(plan.target) == len(plan.flips) == max(n, m)
    for rows, shown in ((source, plan.source), (target, plan.target)):
        counts = np.bincount(shown - rows[0], minlength=len(rows))
        assert counts.max() - counts.min() <= 1 and counts.min() >= 1
    again = unpaired(source, target, seed, epoch)
    assert all(np.array_equal(a, b) for a, b in zip(plan, again, strict=True))


def test_sides_are_shuffled_apart_and_anew_in_each_epoch() -> None:
    rows = np.arange(200)
    one, two = unpaired(rows, rows, 0, 0), unpaired(rows, rows, 0, 1)
    assert (one.source == one.target).mean() < 0.05
    assert (one.source == two.source).mean() < 0.05
    assert 0.35 < one.flips.mean() < 0.65


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    with safe_open(path, framework="pt") as file:
        return {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118


def test_a_killed_training_goes_on_to_the_same_bits(
    harness: Harness, drawn: Path, trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    words = [*WORDS, "--dataset", drawn, "--out", out]
    # Sums over pixels depend on how many threads share them.
    same = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    with subprocess.Popen(
        [sys.executable, "-m", "harness.cli", *map(str, words)],
        stderr=subprocess.DEVNULL,
        env=same,
    ) as process:
        deadline = time.monotonic() + 60
        while not (out / "checkpoint.safetensors").exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert 1 <= len(read_about(out / "checkpoint.safetensors")["log"]) < 3
    assert not (out / "translator.safetensors").exists()

    answer = harness(*words, "--json")
    assert "going on after epoch" in answer.err and "epoch 1/3" not in answer.err
    whole, resumed = (_tensors(f / "translator.safetensors") for f in (trained, out))
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(v, resumed[k]) for k, v in whole.items())
    logs = [[json.loads(x) for x in (f / "train.jsonl").open()] for f in (trained, out)]
    assert [r["losses"] for r in logs[0]] == [r["losses"] for r in logs[1]]
    assert not (out / "checkpoint.safetensors").exists()

    again = harness(*words, "--json")
    assert "nothing to do" in again.err and again.json == answer.json


def test_the_card_says_what_it_was_trained_on(trained: Path, drawn: Path) -> None:
    beside = json.loads((trained / "translator.json").read_text())
    inside = read_about(trained / "translator.safetensors")
    assert beside == inside | {"sha256": file_digest(trained / "translator.safetensors")}
    data = open_dataset(str(drawn), load_plugins())
    about = inside["inputs"]["data"]
    assert about == {"label": data.label, "data_hash": data.data_hash, "split": "train"}
    assert inside["inputs"]["settings"]["source"] == "RGB" and inside["inputs"]["seed"] == 7
    assert inside["samples"] == {"RGB": 20, "TI": 20}


def test_what_other_inputs_made_is_not_written_over(
    harness: Harness, trained: Path, drawn: Path
) -> None:
    before = file_digest(trained / "translator.safetensors")
    words = [*WORDS[:-1], "8", "--dataset", drawn, "--out", trained, "--json"]
    answer = harness(*words)
    assert answer.code == 2 and answer.error["kind"] == "TrainingError"
    assert "another seed" in answer.error["seen"]
    assert file_digest(trained / "translator.safetensors") == before


def test_a_diverged_loss_is_named_and_leaves_nothing(drawn: Path, tmp_path: Path) -> None:
    wild = make_settings(
        "RGB", "TI", size=(24, 28), epochs=1, blocks=1, width=2, learning_rate=1e30
    )
    data = open_dataset(str(drawn), load_plugins())
    with pytest.raises(TrainingError, match=r"became (nan|inf) in epoch 1/1"):
        train_translator(data, wild, 0, tmp_path / "out", torch.device("cpu"))
    assert not list((tmp_path / "out").glob("*.safetensors"))


def test_training_and_translating_are_in_float32_and_leave_no_switch_changed(
    drawn: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = set()
    plain = Generator.forward

    def noted(self: Generator, image: torch.Tensor) -> torch.Tensor:
        cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
        seen.add((cudnn.allow_tf32, products.allow_tf32, cudnn.deterministic, cudnn.benchmark))
        return plain(self, image)

    monkeypatch.setattr(Generator, "forward", noted)
    small = make_settings("RGB", "TI", size=(24, 28), epochs=1, blocks=1, width=2)
    data = open_dataset(str(drawn), load_plugins())
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = (cudnn.allow_tf32, products.allow_tf32)
    # As torch is, and as a fast run in the same process leaves it.
    cudnn.allow_tf32 = products.allow_tf32 = True
    try:
        train_translator(data, small, 0, tmp_path / "out", torch.device("cpu"))
        translator = load_translator(trained / "translator.safetensors", torch.device("cpu"))
        translator(Image.new("RGB", (28, 24)))
        assert cudnn.allow_tf32 and products.allow_tf32
    finally:
        cudnn.allow_tf32, products.allow_tf32 = before
    assert seen == {(False, False, True, False)}


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (("--target", "IR"), "UnknownNameError", ("unknown modality 'IR'",)),
        (("--source", "TI"), "TrainingError", ("both the source and the target",)),
        (("--size", "16", "24"), "TrainingError", ("16 x 24", "at least 24", "multiples of 4")),
        (("--epochs", "0"), "TrainingError", ("--epochs 0", "1 or more")),
        (("--device", "cpx"), "UnknownNameError", ("did you mean 'cpu'?",)),
        (("--dataset", "nowhere/at/all"), "DatasetNotFoundError", ("nowhere/at/all",)),
    ],
)
def test_bad_options(
    harness: Harness,
    drawn: Path,
    tmp_path: Path,
    change: tuple[str, ...],
    kind: str,
    words: tuple[str, ...],
) -> None:
    out = tmp_path / "out"
    answer = harness(*WORDS, "--dataset", drawn, "--out", out, *change, "--json")
    assert answer.code == 2 and answer.error["kind"] == kind
    assert all(word in " ".join(answer.error.values()) for word in words), answer.error
    assert not out.exists()


def test_a_broken_set_ends_it_before_training(
    harness: Harness, damaged: Path, tmp_path: Path
) -> None:
    next((damaged / "train_171" / "TI").iterdir()).unlink()
    answer = harness(*WORDS, "--dataset", damaged, "--out", tmp_path / "out", "--json")
    assert answer.error["kind"] == "IncompleteTripletError" and not (tmp_path / "out").exists()
