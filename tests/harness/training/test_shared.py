"""A step of two processes is the step of one: losses, gradients, statistics, to 1e-9 in float64."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import TrainingError
from harness.spec.plugins import load_plugins
from harness.training.shared import require_images
from tests.harness.launched import launched
from tests.harness.training.made import a_recipe

METHODS = sorted(load_plugins().methods)
RECIPE = a_recipe(3)


def computed(folder: Path, *cases: str) -> Any:
    """What two processes found, started as a user starts them."""
    file = folder / "found.json"
    worker = Path(__file__).with_name("shared_cases.py")
    answer = launched(worker, file, *cases)
    assert answer.code == 0, answer.err
    return json.loads(file.read_text())


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return computed(tmp_path_factory.mktemp("shared"))


@pytest.mark.parametrize("case", ["even", "uneven", "cameras", "layers", "absent", "left_out"])
def test_a_step_of_two_processes_is_that_of_one(found: Any, case: str) -> None:
    """Centres used outside, an unused layer, 7 images and cameras for two, few in a stream."""
    assert max(found[case].values()) < 1e-9, found[case]


def test_per_rank_every_process_normalises_its_part(found: Any) -> None:
    assert found["per_rank"] < 1e-12


def test_only_what_is_drawn_inside_the_model_differs(found: Any) -> None:
    assert found["draws"] == {"inside_differ": True, "after_same": True}


def test_what_cannot_be_joined_is_said(found: Any) -> None:
    said = found["refused"]
    assert "output['logits'] is of shape (5, 3, 3), for 3 images" in said["parts_first"]
    assert "of shape ()" in said["mean"]
    assert "a str" in said["nothing"]
    assert "of other shapes on other processes" in said["other_shapes"]


def test_gradients_are_averaged_also_where_only_some_have_one(found: Any) -> None:
    want = {"all": [1.5, 1.5], "one": [2.0, 2.0], "none": None}
    assert found["some_gradients"] == [want, want]


@pytest.mark.slow
def test_every_method_of_ours_can_be_shared(tmp_path: Path) -> None:
    for method, differences in computed(tmp_path, *METHODS).items():
        assert max(differences.values()) < 1e-9, method


@pytest.mark.parametrize(
    ("size", "norm", "fits"),
    [
        (1, "per_rank", True),
        (3, "synchronised", True),
        (4, "synchronised", False),
        (2, "per_rank", False),
    ],
)
def test_too_many_processes_are_refused_before_training(
    monkeypatch: pytest.MonkeyPatch, size: int, norm: str, fits: bool
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "test")
    for name, value in {"RANK": 0, "WORLD_SIZE": size, "LOCAL_RANK": 0}.items():
        monkeypatch.setenv(name, str(value))
    recipe = RECIPE.model_copy(update={"batch_norm": norm})
    if fits:
        require_images(recipe)
        return
    with pytest.raises(TrainingError, match=f"batches of 3 images for {size} processes"):
        require_images(recipe)
