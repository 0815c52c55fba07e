"""`harness data captions`: files attached to a data set, and what a check says of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.data.captions import Caption
from tests.conftest import Harness, small_names


def _published(folder: Path, rows: dict[str, list[tuple[str, str]]]) -> Path:
    folder.mkdir()
    for name, pairs in rows.items():
        found = [{"item": item, "description": said} for item, said in pairs]
        (folder / f"{name}.json").write_text(json.dumps(found))
    return folder


@pytest.fixture
def bare(damaged: Path) -> Path:
    (damaged / "captions.json").unlink()
    return damaged


@pytest.fixture
def published(tmp_path: Path) -> Iterator[Path]:
    """As IDEA's are: a file for each split and modality; one says nothing, one is of no image."""
    train, test = small_names(range(1, 6)), small_names(range(11, 15))
    rows = {f"train_{m}": [(n, f"A {m} coat.") for n in train] for m in ("RGB", "NI", "TI")}
    rows |= {f"test_{m}": [(n, f"A {m} bag.") for n in test] for m in ("RGB", "NI", "TI")}
    rows["test_RGB"][0] = (test[0], " ")
    rows["test_TI"][0] = ("nobody.jpg", "A bag.")
    yield _published(tmp_path / "text", rows)


def test_published_captions_are_attached_and_counted(
    harness: Harness, bare: Path, published: Path
) -> None:
    answer = harness("data", "captions", bare, "--from", published, "--json")
    assert answer.code == 0, answer.err
    found = answer.json
    assert found["missing"] == {"RGB": 0, "NI": 0, "TI": 1}
    assert found["empty"] == {"RGB": 1, "NI": 0, "TI": 0}
    assert (found["unknown"], sum(found["captioned"].values())) == (1, 106)
    rows = [Caption(**r) for r in json.loads(Path(found["file"]).read_text())]
    assert Path(found["file"]) == bare / "captions.json" and len(rows) == 107
    assert Caption(small_names(range(11, 15))[1], "NI", "A NI bag.") in rows
    again = harness("data", "captions", bare, "--from", published)
    assert again.code == 0 and "captions of 106 of 108 images" in again.out
    checked = harness("data", "check", bare)
    assert checked.code == 0 and "1 images have none (TI 1)" in checked.out


def test_one_split_and_other_forms_will_do(harness: Harness, bare: Path, published: Path) -> None:
    words = [w for m in ("RGB", "NI", "TI") for w in ("--from", published / f"test_{m}.json")]
    answer = harness("data", "captions", bare, *words, "--json")
    assert answer.code == 0 and answer.json["missing"] == {"RGB": 20, "NI": 20, "TI": 21}


def test_what_is_there_is_not_overwritten(harness: Harness, damaged: Path, published: Path) -> None:
    before = (damaged / "captions.json").read_bytes()
    answer = harness("data", "captions", damaged, "--from", published, "--json")
    assert answer.code == 2 and "says other things" in answer.error["seen"]
    assert (damaged / "captions.json").read_bytes() == before


def test_captions_of_other_images_are_refused(harness: Harness, bare: Path, tmp_path: Path) -> None:
    strange = _published(tmp_path / "other", {"train_RGB": [("0001_c1.jpg", "A car.")]})
    answer = harness("data", "captions", bare, "--from", strange, "--json")
    assert answer.code == 2 and "'0001_c1.jpg'" in answer.error["seen"]
    empty = tmp_path / "empty"
    empty.mkdir()
    for place, words in ((empty, "has no .json or .csv"), (tmp_path / "none.json", "none.json")):
        answer = harness("data", "captions", bare, "--from", place, "--json")
        assert answer.code == 2 and words in answer.error["seen"]
    assert not (bare / "captions.json").exists()


def test_a_damaged_file_is_a_problem_of_the_data(harness: Harness, damaged: Path) -> None:
    (damaged / "captions.json").write_text("[")
    answer = harness("data", "check", damaged, "--json")
    assert answer.code == 2
    assert any("cannot be read as captions" in p["seen"] for p in answer.json["problems"])
    assert answer.json["captions"] is None
    # Methods without captions do not read them.
    assert harness("lint", damaged).code in (0, 2)
