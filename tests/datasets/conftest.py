"""A small drawn copy of every published set, and a place where a set is found by its name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.data.open import open_at
from harness.data.opened import OpenDataset
from harness.spec.dataset import load_card
from harness.spec.plugins import load_plugins, load_target
from tests.conftest import Answer, Harness

PUBLISHED = ("rgbnt201", "market1501-mm", "rgbnt100", "rgbn300", "msvr310", "wmveid863")
_CHANGES = ("epochs=1", "input.height=32", "input.width=32")
TINY_RUN = ("--recipe", "smoke", *(word for key in _CHANGES for word in ("--set", key)))

Draw = Callable[[str], Path]
Copy = Callable[[str], Path]
Run = Callable[..., Answer]


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Draw:
    """The small drawn set of a name, drawn once. Not to be changed."""
    base, known = tmp_path_factory.mktemp("small"), load_plugins()

    def draw(name: str) -> Path:
        out = base / name
        if not out.exists():
            drawable = load_target(known.dataset(name).drawable, name)
            drawable.draw(out, 0, "small", lambda count: None)
        return out

    return draw


@pytest.fixture
def copy(small: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copy:
    """A copy that a test may break, where `--dataset NAME` finds it."""
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))

    def make(name: str) -> Path:
        root = load_card(load_plugins().dataset(name).card).roots[0]
        return Path(shutil.copytree(small(name), tmp_path / "data" / root))

    return make


@pytest.fixture
def run(harness: Harness, tiny: Path, tmp_path: Path) -> Run:
    """Train the README's method on a set for a moment."""

    def go(dataset: str, plugin: Path = tiny) -> Answer:
        words = ["run", "--method", "tiny", "--plugin", plugin, "--dataset", dataset, *TINY_RUN]
        return harness(*words, "--out", tmp_path / "runs", "--json")

    return go


def opened(name: str, root: Path) -> OpenDataset:
    """The set of a name at a place."""
    return open_at(name, root, load_plugins())


def images(root: Path) -> list[Path]:
    """Every picture under a folder."""
    return sorted(root.rglob("*.jpg"))
