"""Bad input to every loader: named, with what was expected and what to do, before any training."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Answer, Harness
from tests.datasets.conftest import PUBLISHED, Copy, Run, images

STRIPS = ("rgbnt100", "rgbn300")
PARALLEL = ("rgbnt201", "market1501-mm")
FOLDERS = ("msvr310", "wmveid863")


def _check_error(answer: Answer, kind: str, *words: str) -> None:
    assert answer.code == 2, answer.err
    assert answer.error["kind"] == kind, answer.error
    text = " ".join(answer.error.values())
    assert all(word in text for word in words), text
    assert "Traceback" not in answer.err


def _train(root: Path) -> Path:
    found = [p for p in root.rglob("*train*") if p.is_dir()]
    return found[0]


@pytest.mark.parametrize("name", PUBLISHED)
def test_no_such_set_on_this_machine(run: Run, name: str, tmp_path: Path) -> None:
    _check_error(run(name), "DatasetNotFoundError", "HARNESS_DATA", "a folder like this")


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_split_folder_missing(run: Run, copy: Copy, harness: Harness, name: str) -> None:
    root = copy(name)
    folder = _train(root)
    shutil.rmtree(folder)
    _check_error(run(name), "LayoutError", str(folder), f"harness show dataset {name}")
    report = harness("data", "check", name, "--root", root, "--json")
    assert report.code == 2
    assert {p["kind"] for p in report.json["problems"]} == {"LayoutError"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_empty_split_folder(run: Run, copy: Copy, name: str) -> None:
    folder = _train(copy(name))
    for path in images(folder):
        path.unlink()
    _check_error(run(name), "LayoutError", "is empty", str(folder))


@pytest.mark.parametrize("name", [*PARALLEL, *FOLDERS])
def test_one_file_of_a_modality_missing(run: Run, copy: Copy, name: str) -> None:
    gone = [p for p in images(_train(copy(name))) if p.parent.name in ("TI", "th")][3]
    gone.unlink()
    _check_error(run(name), "IncompleteTripletError", gone.name, "RGB+NI but no TI", str(gone))


@pytest.mark.parametrize("name", [*PARALLEL, *FOLDERS])
def test_a_modality_folder_missing(run: Run, copy: Copy, name: str) -> None:
    folder = images(_train(copy(name)))[0].parent
    shutil.rmtree(folder)
    answer = run(name)
    _check_error(answer, "LayoutError", f"there is no folder {folder};")
    assert "more problems" not in answer.error["seen"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_name_outside_the_grammar(run: Run, copy: Copy, name: str) -> None:
    pictures = images(_train(copy(name)))
    for path in [p for p in pictures if p.name == pictures[0].name]:
        path.rename(path.with_name("IMG 1.jpg"))
    _check_error(run(name), "FileNameError", "IMG 1.jpg", "identity, ", "rename or move")


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_truncated_picture(run: Run, copy: Copy, name: str) -> None:
    path = images(_train(copy(name)))[2]
    path.write_bytes(path.read_bytes()[:500])
    _check_error(run(name), "UnreadableImageError", path.name, "cannot be decoded", "500 bytes")


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_web_page_in_place_of_a_picture(run: Run, copy: Copy, name: str) -> None:
    root = copy(name)
    path = images(_train(root))[0]
    path.write_text("<!DOCTYPE html><title>Quota exceeded</title>")
    # Strips are told apart by the shape of a picture: one that is none must not confuse that.
    _check_error(run(str(root)), "UnreadableImageError", path.name, "web page")


@pytest.mark.parametrize("name", STRIPS)
def test_a_strip_that_does_not_divide(run: Run, copy: Copy, name: str) -> None:
    path = images(_train(copy(name)))[5]
    with Image.open(path) as strip:
        strip.crop((0, 0, strip.width - 1, strip.height)).save(path)
    _check_error(run(name), "UnreadableImageError", path.name, "pixels wide", "side by side")


@pytest.mark.parametrize("name", FOLDERS)
def test_a_file_in_another_identitys_folder(run: Run, copy: Copy, name: str) -> None:
    first, second = sorted(p for p in _train(copy(name)).iterdir() if p.is_dir())[:2]
    path = images(first)[0]
    for same in first.glob(f"*/{path.name}"):
        same.rename(second / same.parent.name / same.name)
    _check_error(run(name), "FileNameError", path.name, f"identity {second.name}")


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_is_no_identity(run: Run, copy: Copy, name: str) -> None:
    first = sorted(p for p in _train(copy(name)).iterdir() if p.is_dir())[0]
    first.rename(first.with_name("car"))
    _check_error(run(name), "FileNameError", "the folder name car", "four digits")


@pytest.mark.parametrize("name", STRIPS)
def test_strips_of_plain_pictures_are_of_no_known_layout(run: Run, copy: Copy, name: str) -> None:
    root = copy(name)
    root = root.rename(root.with_name("other"))
    for path in images(root):
        Image.new("RGB", (64, 128)).save(path)
    _check_error(run(str(root)), "DatasetNotFoundError", "no known layout", "bounding_box_train/")


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_file_servers_and_browsers_leave_is_no_data(
    harness: Harness, copy: Copy, name: str
) -> None:
    root = copy(name)
    before = harness("data", "check", name, "--root", root, "--json").json
    for left in (
        ".nfs00000000a1b2c3",
        ".smbdeleteAAA1",
        ".__afs12",
        ".fuse_hidden01",
        ".directory",
    ):
        for folder in {p.parent for p in images(root)}:
            (folder / left).write_bytes(b"")
    after = harness("data", "check", name, "--root", root, "--json").json
    assert after["ok"] and after["splits"] == before["splits"]
    assert after["file_list_hash"] == before["file_list_hash"]
