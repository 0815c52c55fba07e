"""The published layouts with every name they have: empty files, since no loader opens one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.data.opened import counts
from harness.spec.dataset import SPLITS
from harness.spec.plugins import load_plugins, load_target
from reid_datasets import synthesize
from tests.datasets.conftest import opened


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Lay out the full set of a name; the pictures are empty files and the marker is removed."""

    def touch(task: Any) -> int:
        for drawing in task.drawings:
            for file in drawing.files:
                (task.root / file).touch()
        return len(task.drawings)

    def lay(name: str) -> Path:
        out = tmp_path / name
        told: list[int] = []
        drawable = load_target(load_plugins().dataset(name).drawable, name)
        drawable.draw(out, 0, "full", told.append)
        assert sum(told) == drawable.count("full")
        (out / "SYNTHETIC.json").unlink()
        return out

    monkeypatch.setattr(synthesize, "_draw", touch)
    monkeypatch.setattr(synthesize, "_processors", lambda: 1)
    return lay


SLOW = [pytest.param(n, marks=pytest.mark.slow) for n in ("market1501-mm", "rgbn300")]


@pytest.mark.parametrize("name", ["rgbnt201", "rgbnt100", "msvr310", "wmveid863", *SLOW])
def test_a_full_set_has_the_published_counts(full: Any, name: str) -> None:
    data = opened(name, full(name))
    assert len(data.card.counts) >= 2
    for split in SPLITS:
        found = counts(data.samples(split))
        if split in data.card.counts:
            assert found == data.card.counts[split].model_dump()
    if data.card.file_list_hash is not None:
        assert data.is_published and data.label == name


def test_one_name_more_makes_it_a_variant(full: Any) -> None:
    root = full("rgbnt100")
    (root / "rgbir" / "bounding_box_test" / "0502_c0001_025.jpg").touch()
    data = opened("rgbnt100", root)
    assert not data.is_published and data.label.startswith("rgbnt100-variant@")


def test_another_choice_of_queries_is_still_the_published_list(full: Any) -> None:
    root = full("rgbnt100")
    for path in (root / "rgbir" / "query").glob("*_000.jpg"):
        path.rename(path.with_name(path.name.replace("_000", "_001")))
    assert opened("rgbnt100", root).is_published


def test_what_wmveid863_repeats_is_said_and_nothing_else_is_wrong(full: Any) -> None:
    data = opened("wmveid863", full("wmveid863"))
    notes = " ".join(note for split in SPLITS for note in data.scans[split].notes)
    assert "passed over 2 samples" in notes and "passed over 4 samples" in notes
    assert "18 names are in train and in test" in notes
