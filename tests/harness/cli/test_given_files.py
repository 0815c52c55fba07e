"""Features files and checkpoints that are given: scored, or refused in which words."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.conftest import SMALL, Answer, Harness
from tests.harness.cli.test_errors import _check_error, _run


def _features(path: Path, drawn: Path, **change: object) -> Path:
    names = np.array(sorted(p.name for p in (drawn / "test" / "RGB").iterdir()))
    rows = np.random.default_rng(0).standard_normal((len(names), 8)).astype(np.float32)
    np.savez(path, **({"features": rows, "names": names} | change))  # type: ignore[arg-type]
    return path


def _score(harness: Harness, path: Path, drawn: Path) -> Answer:
    return harness("evaluate", "--features", path, "--dataset", drawn, "--json")


def test_a_good_features_file_is_scored(harness: Harness, drawn: Path, tmp_path: Path) -> None:
    answer = _score(harness, _features(tmp_path / "f.npz", drawn), drawn)
    assert answer.code == 0 and answer.json["valid_queries"] == 16


def test_features_with_the_wrong_names(harness: Harness, drawn: Path, tmp_path: Path) -> None:
    names = np.array([f"image{i}.jpg" for i in range(16)])
    answer = _score(harness, _features(tmp_path / "f.npz", drawn, names=names), drawn)
    _check_error(answer, "FeaturesError", "16 of 16", "000011_cam1_0_00.jpg", "image0.jpg")


def test_features_of_the_wrong_length(harness: Harness, drawn: Path, tmp_path: Path) -> None:
    path = _features(tmp_path / "f.npz", drawn, features=np.zeros((15, 8), np.float32))
    _check_error(_score(harness, path, drawn), "FeaturesError", "(15, 8)", "names has 16")


def test_features_with_nan(harness: Harness, drawn: Path, tmp_path: Path) -> None:
    rows = np.zeros((16, 8), np.float32)
    rows[5, 2] = np.nan
    path = _features(tmp_path / "f.npz", drawn, features=rows)
    _check_error(
        _score(harness, path, drawn), "FeaturesError", "row 5", "NaN", "000012_cam1_0_01.jpg"
    )


class _Bomb:
    """Unpickled, it would leave a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.mark),)


def test_pickled_features_are_refused_unopened(
    harness: Harness, drawn: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "exploded"
    bomb = np.array([_Bomb(mark)], dtype=object)
    answer = _score(harness, _features(tmp_path / "f.npz", drawn, features=bomb), drawn)
    _check_error(answer, "FeaturesError", "pickled objects")
    (tmp_path / "plain.npz").write_bytes(pickle.dumps(_Bomb(mark)))
    _check_error(_score(harness, tmp_path / "plain.npz", drawn), "FeaturesError")
    torch.save({"weights": _Bomb(mark)}, tmp_path / "w.pth")
    answer = harness("evaluate", "--checkpoint", tmp_path / "w.pth", "--method", "ieee", "--json")
    _check_error(answer, "CheckpointError", "can run any code")
    assert not mark.exists()


@pytest.fixture
def weights(harness: Harness, drawn: Path, tiny: Path, tmp_path: Path) -> Path:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    done = harness(*words, *SMALL, "--out", tmp_path / "runs", "--json").json
    return Path(done["record"]).parent / "weights.safetensors"


def test_a_checkpoint_scores_as_its_run_did(
    harness: Harness, drawn: Path, tiny: Path, weights: Path
) -> None:
    words = ["evaluate", "--checkpoint", weights, "--plugin", tiny, "--dataset", drawn, "--json"]
    record = harness("show", "run", weights.parent, "--json").json
    answer = harness(*words)
    assert answer.json["metrics"] == record["metrics"] and "warning" not in answer.err
    size = {"height": 64, "width": 32}
    assert (answer.json["input"], answer.json["recipe_from"]) == (size, "the weights file")
    # What is set goes on top of the file's own recipe, which keeps its size.
    changed = harness(*words, "--set", "sampler.instances=2").json
    assert changed["input"] == size and changed["recipe_from"].endswith("sampler.instances=2")


def test_the_input_size_of_a_strangers_checkpoint_is_said(
    harness: Harness, drawn: Path, tiny: Path, weights: Path, tmp_path: Path
) -> None:
    torch.save(load_file(weights), tmp_path / "plain.pth")
    words = ["evaluate", "--checkpoint", tmp_path / "plain.pth", "--method", "tiny"]
    words += ["--plugin", tiny, "--dataset", drawn]
    answer = harness(*words)
    assert "images of 256x128, taken from the default, since plain.pth does not say" in answer.out
    assert "warning: plain.pth does not say" in answer.err and "--set input.height=H" in answer.err
    named = harness(*words, *SMALL[2:], "--json")
    assert named.json["input"] == {"height": 64, "width": 32} and "warning" not in named.err
    assert named.json["recipe_from"].endswith("input.height=64 --set input.width=32")


def test_a_test_part_alone_is_enough_to_evaluate(
    harness: Harness, drawn: Path, damaged: Path, tiny: Path, weights: Path, tmp_path: Path
) -> None:
    features = _features(tmp_path / "f.npz", drawn)
    whole = _score(harness, features, drawn)
    words = ["evaluate", "--checkpoint", weights, "--plugin", tiny, "--json", "--dataset"]
    trained = harness(*words, drawn)
    shutil.rmtree(damaged / "train_171")
    part = _score(harness, features, damaged)
    assert part.code == 0 and part.json["metrics"] == whole.json["metrics"]
    assert harness(*words, damaged).json["metrics"] == trained.json["metrics"]
    run = _run(harness, damaged, tmp_path / "out")
    _check_error(run, "LayoutError", "train_171")
    torch.save(load_file(weights), tmp_path / "w.pth")
    words = ["evaluate", "--checkpoint", tmp_path / "w.pth", "--method", "tiny", "--plugin", tiny]
    words += ["--dataset", damaged, "--recipe", "smoke", *SMALL[2:], "--json"]
    _check_error(harness(*words), "CheckpointError", "--classes N")
    assert harness(*words, "--classes", 5).json["metrics"] == trained.json["metrics"]


def test_a_checkpoint_with_missing_keys(
    harness: Harness, drawn: Path, tiny: Path, weights: Path, tmp_path: Path
) -> None:
    state = load_file(weights)
    del state["head.bias"]
    save_file(state, tmp_path / "part.safetensors")
    words = ["evaluate", "--checkpoint", tmp_path / "part.safetensors", "--method", "tiny"]
    words += ["--plugin", tiny, "--dataset", drawn, "--recipe", "smoke", "--json"]
    _check_error(harness(*words), "CheckpointError", "1 missing: head.bias")


def test_a_checkpoint_of_another_class_count(
    harness: Harness, drawn: Path, tiny: Path, weights: Path, tmp_path: Path
) -> None:
    path = tmp_path / "plain.pth"
    head = {"head.weight": torch.zeros(9, 512), "head.bias": torch.zeros(9)}
    torch.save(load_file(weights) | head, path)
    words = ["evaluate", "--checkpoint", path, "--method", "tiny", "--plugin", tiny]
    words += ["--dataset", drawn, "--recipe", "smoke", *SMALL[2:], "--json"]
    _check_error(harness(*words), "CheckpointError", "9x512 in the file", "5x512", "--classes N")
    assert harness(*words, "--classes", 9).code == 0
