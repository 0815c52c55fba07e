"""What a recipe's hash says: everything that decides a training, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from harness.spec.method import MethodInfo
from harness.spec.plugins import load_plugins
from harness.spec.recipe import Augmentation, Optimiser, Recipe, Schedule
from harness.spec.resolve import resolve
from tests.harness.training.made import a_recipe

BEFORE = "d5342dd8d8715accc03daf3087d2b42a357a991c872982771a8c377265f1b416"
"""Of `a_recipe()`, written down before the options below were there."""

LATER = {
    "input.train_resize": "bicubic",
    "augmentation.erase_fill": "noise",
    "augmentation.erase_area": [0.02, 0.3],
    "optimiser.bias_lr_factor": 2.0,
    "optimiser.bias_weight_decay": 0.0,
    "schedule.warmup_start": 0.01,
}


def test_a_recipe_from_before_these_options_keeps_its_hash() -> None:
    recipe = a_recipe()
    assert recipe.hash == BEFORE
    old = recipe.dumped()
    for key in (*LATER, "schedule.floor", "schedule.noise"):
        section, name = key.split(".")
        del old[section][name]
    assert Recipe.model_validate(old).hash == BEFORE
    assert Recipe.model_validate(recipe.dumped()).hash == BEFORE


@pytest.mark.parametrize("key", LATER)
def test_each_of_them_changes_it(key: str) -> None:
    section, name = key.split(".")
    data = a_recipe().dumped()
    data[section][name] = LATER[key]
    assert Recipe.model_validate(data).hash != BEFORE


def test_floor_and_noise_change_it_where_they_count() -> None:
    data = a_recipe().dumped()
    hashes = set()
    for change in ({}, {"floor": 0.001}, {"noise": "timm-42"}):
        data["schedule"] = {"kind": "cosine_to_floor", **change}
        hashes.add(Recipe.model_validate(data).hash)
    assert len(hashes) == 3


@pytest.mark.parametrize(
    ("section", "values", "words"),
    [
        (Schedule, {"kind": "steps", "floor": 0.1}, "cosine_to_floor"),
        (Schedule, {"kind": "cosine", "noise": "timm-42"}, "cosine_to_floor"),
        (Schedule, {"milestones": (40, 20)}, "milestones must rise"),
        (Schedule, {"kind": "cosine_to_floor", "warmup_start": 2}, "less than or equal to 1"),
        (Augmentation, {"erase_area": (0.4, 0.02)}, "erase_area must rise"),
        (Augmentation, {"erase_area": (0.0, 0.4)}, "erase_area must rise"),
        (Optimiser, {"lr": 1, "bias_lr_factor": 0}, "greater than 0"),
    ],
)
def test_values_that_cannot_be_meant(section: Any, values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        section(**values)


@pytest.mark.parametrize("method", ["top-reid", "editor", "demo", "signal"])
def test_the_common_recipe_compares_descriptors_as_the_method_does(method: str) -> None:
    info = load_plugins().method(method)
    kept = {}
    for recipe in ("common", "rgbnt201"):
        kept[recipe] = resolve(info, recipe, "rgbnt201", "full").recipe.config["normalise"]
    assert kept == {"common": True, "rgbnt201": True}
    asked = resolve(info, "common", "rgbnt201", "full", ["config.normalise=false"])
    assert asked.recipe.config["normalise"] is False


def test_what_a_method_needs_under_common_is_among_its_options() -> None:
    with pytest.raises(ValidationError, match="normalize"):
        MethodInfo(name="m", target="m:M", common_config={"normalize": True})
