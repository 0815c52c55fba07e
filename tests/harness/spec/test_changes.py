"""A changed recipe is `modified`, says what was changed, and values come through text whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.board.names import Names
from harness.evidence.record import read_record
from harness.spec.changes import changes_named, value_of, value_text
from harness.spec.known import KnownRecipes
from harness.spec.plugins import load_plugins
from harness.spec.recipe import Recipe
from harness.spec.resolve import from_record, resolve
from harness.store.rows import summary_of
from tests.conftest import Harness
from tests.harness.records import make

ON = ("rgbnt201", "full")
KNOWN = load_plugins().methods


def _recipe(*changes: str, recipe: str = "rgbnt201", method: str = "ieee") -> Recipe:
    return resolve(KNOWN[method], recipe, *ON, changes).recipe


def test_a_changed_recipe_is_modified_and_says_what_was_changed() -> None:
    changed = _recipe("epochs=2", "margin=0.5")
    assert (changed.name, changed.track) == ("rgbnt201", "modified")
    assert changed.source == "changed from rgbnt201: config.margin = 0.5, epochs = 2"
    for same in (_recipe(), _recipe("epochs=61"), _recipe("precision=float32")):
        assert same.track == "official" and "Wang et al." in same.source
        assert same.hash == _recipe().hash
    assert _recipe("epochs=3", recipe="smoke").track == "modified"


def test_what_a_source_lists_is_read_again() -> None:
    changed = _recipe("epochs=2", "milestones=[1, 2]", "pretrained=/a, b/w.pth", "margin=0.5")
    assert changes_named(changed.source) == {
        "config.margin": 0.5,
        "epochs": 2,
        "pretrained": "/a, b/w.pth",
        "schedule.milestones": [1, 2],
    }
    assert changes_named("Wang et al., AAAI 2022: epochs = 3") == {}


def test_the_record_of_a_changed_run_says_so(finished: Path) -> None:
    (path,) = finished.glob("*/*/record.json")
    said = read_record(path).recipe
    assert said["track"] == "modified" and said["name"] == "smoke"
    assert said["source"] == "changed from smoke: epochs = 2, input.height = 64, input.width = 32"


@pytest.mark.parametrize("key", ["track=official", "name=mine", "source=a paper", "method=pfnet"])
def test_what_a_recipe_is_cannot_be_set(harness: Harness, key: str) -> None:
    answer = harness("run", "--method", "ieee", "--set", key, "--json")
    assert answer.code == 2 and answer.error["kind"] == "RecipeError"
    assert (
        answer.error["seen"] == f"--set {key}"
        and "says what the recipe is" in (answer.error["expected"])
    )


def test_a_file_of_ones_own_is_never_official(tmp_path: Path) -> None:
    own = tmp_path / "rgbnt201.toml"
    own.write_text('base = "rgbnt201"\ntrack = "official"\nsource = "me"\nepochs = 7\n')
    found = _recipe(recipe=str(own))
    assert (found.track, found.source) == ("modified", "changed from rgbnt201: epochs = 7")
    assert found.hash == _recipe("epochs=7").hash
    own.write_text('base = "rgbnt201"\nsource = "me"\n')
    assert _recipe(recipe=str(own)).track == "official"
    whole = 'track = "official"\nepochs = 1\n[optimiser]\nlr = 0.1\n'
    own.write_text(whole + "[sampler]\nidentities = 2\ninstances = 2\n")
    assert _recipe(recipe=str(own)).track == "modified"
    assert _recipe(recipe=str(own)).source == "the file rgbnt201.toml"


def test_a_record_that_calls_a_changed_recipe_official_is_not_believed() -> None:
    known = KnownRecipes(KNOWN)
    changed = Recipe.model_validate({**_recipe("epochs=2").dumped(), "track": "official"})
    for recipe, track in ((_recipe(), "official"), (changed, "modified")):
        assert known.track("official", "ieee", "rgbnt201", recipe.hash, ON) == track
        assert known.is_the_papers("ieee", "rgbnt201", recipe.hash, ON) == (track == "official")
    # An ablation's recipe is the paper's too, and not what its main number is for.
    ablation = _recipe(recipe="table3-a")
    assert known.track("official", "ieee", "table3-a", ablation.hash, ON) == "official"
    assert not known.is_the_papers("ieee", "rgbnt201", ablation.hash, ON)
    # A method that is not here has no paper here either.
    assert known.track("official", "nobody", "x", "0" * 64, ON) == "official"
    assert not known.is_the_papers("nobody", "rgbnt201", "0" * 64, ON)


@pytest.mark.parametrize(
    ("method", "recipe", "changes", "name"),
    [
        ("ieee", "rgbnt201", [], "IEEE"),
        ("ieee", "common", [], "IEEE · common"),
        ("ieee", "table3-a", [], "IEEE · table3-a"),
        ("ieee", "rgbnt201", ["rem=false", "epochs=2"], "IEEE · rem off · 2 epochs"),
        (
            "timm",
            "smoke",
            ["config.backbone=convnext_atto", "epochs=1", "input.height=64", "input.width=32"],
            "timm · convnext_atto · 1 epoch · 64×32",
        ),
        ("ieee", "rgbnt201", ["pretrained=/home/me/w.pth"], "IEEE · pretrained w.pth"),
    ],
)
def test_a_run_is_called_by_what_it_changed(
    method: str, recipe: str, changes: list[str], name: str
) -> None:
    found = _recipe(*changes, recipe=recipe, method=method)
    dataset = {"label": ON[0], "data_hash": "d" * 64}
    run = make(method=method, recipe=found.dumped(), recipe_hash=found.hash, dataset=dataset)
    said = Names(KNOWN).of_run(summary_of(run, Path("record.json")))
    assert said == name.replace("timm", KNOWN["timm"].title or "timm")


@pytest.mark.parametrize("method", KNOWN)
def test_a_checkpoints_recipe_comes_back_whole(method: str) -> None:
    # As evaluate --checkpoint takes it: an option that is None was once the text 'null'.
    trained = _recipe(recipe="smoke", method=method)
    again = from_record(KNOWN[method], json.loads(json.dumps(trained.dumped()))).recipe
    assert again.dumped() == trained.dumped() and again.hash == trained.hash


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(JSON)
def test_a_value_comes_through_text_whole(value: Any) -> None:
    text = value_text(value)
    back = value_of(text)
    assert back == value and type(back) is type(value), text
    assert json.dumps(back) == json.dumps(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.01", 0.01),
        ("resnet50", "resnet50"),
        ("null", None),
        ("none", "none"),
        ("NaN", "NaN"),
        ("[20, 40]", [20, 40]),
        ("[20,\n40]", [20, 40]),
        ("2\nseed = 4", "2\nseed = 4"),
        ("[" * 5000, "[" * 5000),
    ],
)
def test_what_a_person_types_is_what_is_meant(text: str, value: Any) -> None:
    assert value_of(text) == value
