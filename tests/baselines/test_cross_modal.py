"""HC, DDAG and MPANet as a user runs them: trained once, searched in both directions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from baselines.ddag.method import DDAG
from baselines.shared.cross import items_of, mean_over_present
from tests.baselines.pairs import small_batch
from tests.conftest import SMALL, Answer, Harness

QUICK = (*SMALL, "--set", "config.backbone=resnet10t", "--recipe", "smoke")


def run_words(method: str, drawn: Path, out: Path) -> list[object]:
    return ["run", "--method", method, "--dataset", drawn, *QUICK, "--out", out, "--json"]


def evaluate_words(trained: Answer, drawn: Path, out: Path) -> list[object]:
    run = trained.json["run_id"]
    return ["evaluate", "--dataset", drawn, "--run", run, "--out", out, "--json"]


@pytest.mark.parametrize("method", ["hc", "ddag", "mpanet"])
def test_one_training_is_searched_in_both_directions(
    harness: Harness, drawn: Path, tmp_path: Path, method: str
) -> None:
    answer = harness(*run_words(method, drawn, tmp_path), "--protocol", "RGB>TI@regdb")
    assert answer.code == 0, answer.err
    record = json.loads(Path(answer.json["record"]).read_text())
    assert record["protocol"]["train_modalities"] == ["RGB", "TI"]
    assert record["missing_policy"] == "native"
    assert record["cost"]["modality_columns"] == {}
    words = evaluate_words(answer, drawn, tmp_path)
    found = harness(*words, "--protocol", "RGB>TI@regdb", "--protocol", "TI>RGB@regdb")
    assert found.code == 0, found.err
    again, back = found.json["results"]
    assert again["metrics"] == answer.json["metrics"]
    assert back["protocol"] == "TI>RGB@regdb"
    assert back["metrics"] != again["metrics"]


@pytest.mark.parametrize("method", ["hc", "ddag", "mpanet"])
def test_all_three_modalities_under_the_default_protocol(
    harness: Harness, drawn: Path, tmp_path: Path, method: str
) -> None:
    """Trained on all; samples get the mean of their descriptors, or of those that are there."""
    answer = harness(*run_words(method, drawn, tmp_path), "--set", "epochs=1")
    assert answer.code == 0, answer.err
    assert answer.json["protocol"] == "full"
    groups = ("--protocol", "cross", "--protocol", "missing", "--protocol", "random-missing-50")
    found = harness(*evaluate_words(answer, drawn, tmp_path), *groups)
    assert found.code == 0, found.err
    assert len(found.json["results"]) == 13


def test_a_ddag_that_was_cut_off_goes_on_to_the_same_digits(
    harness: Harness, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weight of the second epoch is made of the first, which another process trained."""
    usual = DDAG.start_epoch

    def stop(self: DDAG, model: nn.Module, epoch: int) -> None:
        if epoch == 1:
            raise RuntimeError("cut off")
        usual(self, model, epoch)

    words = ("--protocol", "RGB>TI@regdb")
    monkeypatch.setattr(DDAG, "start_epoch", stop)
    assert harness(*run_words("ddag", drawn, tmp_path / "cut"), *words).code == 1
    monkeypatch.setattr(DDAG, "start_epoch", usual)
    resumed = harness(*run_words("ddag", drawn, tmp_path / "cut"), *words)
    assert "going on after epoch 1" in resumed.err
    whole = harness(*run_words("ddag", drawn, tmp_path / "whole"), *words)
    one, two = (losses_of(a.json) for a in (resumed, whole))
    assert one == two
    assert one[1]["graph"] > 0


def losses_of(found: Any) -> list[dict[str, float]]:
    record = json.loads(Path(found["record"]).read_text())
    return [row["losses"] for row in record["training"]]


def test_images_that_are_there_become_items_of_their_own() -> None:
    batch = small_batch(("RGB", "NI", "TI"), absent={"NI": [0, 1, 2, 3], "TI": [2]})
    items = items_of(batch)
    assert list(items.images) == ["RGB", "TI"]
    assert items.pids.tolist() == [1, 1, 4, 4, 1, 1, 4]
    assert torch.equal(items.images["TI"], batch.images["TI"][[0, 1, 3]])
    assert items.rows["TI"].tolist() == [0, 1, 3]


def test_the_mean_is_over_what_a_sample_has() -> None:
    found = {"RGB": torch.tensor([[1.0], [2.0]]), "TI": torch.tensor([[5.0], [7.0]])}
    present = {"RGB": torch.tensor([True, True]), "TI": torch.tensor([True, False])}
    assert mean_over_present(found, present).tolist() == [[3.0], [2.0]]  # type: ignore[arg-type]
