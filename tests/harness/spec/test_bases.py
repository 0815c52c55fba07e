"""Recipes that build on others, through the command that shows a recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import RecipeError
from harness.spec.plugins import load_plugins
from harness.spec.resolve import resolve
from tests.conftest import Harness

WHOLE = """
track = "smoke"
source = "a test"
epochs = 3
[sampler]
identities = 4
instances = 2
[optimiser]
name = "sgd"
lr = 0.1
[schedule]
milestones = [1, 2]
"""


@pytest.fixture
def method(tmp_path: Path) -> Path:
    """A method whose recipes a test writes."""
    folder = tmp_path / "based"
    (folder / "recipes").mkdir(parents=True)
    (folder / "info.py").write_text(
        "from pathlib import Path\nfrom harness import MethodInfo\n"
        "INFO = MethodInfo(name='based', target='nowhere:Based', "
        "recipes=Path(__file__).parent / 'recipes')\n"
    )
    (folder / "recipes" / "whole.toml").write_text(WHOLE)
    return folder


def _write(method: Path, name: str, text: str) -> Path:
    path = method / "recipes" / f"{name}.toml"
    path.write_text(text)
    return path


def _shown(harness: Harness, method: Path, name: str) -> dict[str, object]:
    words = ["show", "recipe", name, "--method", "based", "--plugin", method, "--json"]
    answer = harness(*words)
    assert answer.code == 0, answer.err
    found: dict[str, object] = answer.json
    return found


def test_only_what_differs_is_written(harness: Harness, method: Path) -> None:
    _write(method, "faster", 'base = "whole"\nepochs = 1\n[optimiser]\nlr = 0.5\n')
    _write(method, "fastest", 'base = "faster"\n[schedule]\nmilestones = []\n')
    whole = _shown(harness, method, "whole")
    found = _shown(harness, method, "fastest")
    assert found["epochs"] == 1
    assert found["optimiser"] == {**whole["optimiser"], "lr": 0.5}  # type: ignore[dict-item]
    assert found["schedule"]["milestones"] == []  # type: ignore[index]
    assert found["name"] == "fastest" and found["source"] == "a test"
    assert set(found) == set(whole), "the base leaves nothing behind but its values"


def test_it_is_the_recipe_that_writes_the_values_out(method: Path) -> None:
    _write(method, "short", 'base = "whole"\nname = "by-base"\nepochs = 1\n')
    _write(method, "long", WHOLE.replace("epochs = 3", "epochs = 1"))
    info = load_plugins([method]).method("based")
    one, two = (resolve(info, name, "any", "full").recipe for name in ("short", "long"))
    assert one.hash == two.hash and one.name == "by-base"


def test_a_shared_recipe_can_be_the_base_even_under_the_same_name(
    harness: Harness, method: Path
) -> None:
    shared = _shown(harness, method, "smoke")
    _write(method, "smoke", 'base = "smoke"\nepochs = 2\n')
    assert shared["epochs"] != 2
    assert _shown(harness, method, "smoke") == {**shared, "epochs": 2}


def test_a_file_of_ones_own_builds_on_the_methods_recipes(method: Path, tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text('base = "whole"\nepochs = 7\n')
    info = load_plugins([method]).method("based")
    assert resolve(info, str(own), "any", "full").recipe.epochs == 7


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a": 'base = "b"', "b": 'base = "a"'}, ("b.toml", "circle: a -> b -> a")),
        ({"a": 'base = "a"'}, ("a.toml", "circle: a -> a")),
        ({"a": 'base = "whle"'}, ("a.toml", "'whle'", "did you mean 'whole'?")),
        ({"a": "base = 3"}, ("a.toml", "3")),
        ({"a": 'base = "b"', "b": "epochs ="}, ("b.toml", "not TOML")),
    ],
)
def test_a_base_that_does_not_fit_names_the_file(
    harness: Harness, method: Path, files: dict[str, str], words: tuple[str, ...]
) -> None:
    for name, text in files.items():
        _write(method, name, text)
    answer = harness("show", "recipe", "a", "--method", "based", "--plugin", method, "--json")
    assert answer.code == 2 and answer.error["kind"] == RecipeError.__name__
    assert all(word in " ".join(answer.error.values()) for word in words)


def test_the_rows_of_table_3_differ_from_the_whole_method_in_what_they_leave_out() -> None:
    info = load_plugins().method("ieee")
    for track, whole in (("table3", "rgbnt201"), ("smoke", "smoke")):
        rows = {r: resolve(info, f"{track}-{r}", "any", "full").recipe for r in "abcd"}
        full = resolve(info, whole, "any", "full").recipe
        keys = ("interaction", "rem", "loss")
        assert [tuple(rows[r].config[k] for k in keys) for r in "abcd"] == [
            (False, False, "softmax"),
            (True, False, "softmax"),
            (True, False, "margin"),
            (True, True, "margin"),
        ]
        assert rows["d"].hash == full.hash and len({r.hash for r in rows.values()}) == 4
