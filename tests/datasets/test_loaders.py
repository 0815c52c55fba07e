"""Every published layout: drawn small, recognised, checked, linted and trained on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.data.images import read_sample
from harness.spec.dataset import SPLITS
from tests.conftest import Harness
from tests.datasets.conftest import PUBLISHED, Copy, Draw, Run, images, opened


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_drawn_set_is_recognised_checked_linted_and_trained_on(
    harness: Harness, small: Draw, run: Run, name: str
) -> None:
    report = harness("data", "check", small(name), "--json")
    assert report.code == 0, report.out
    assert report.json["dataset"] == name == report.json["made_like"]
    assert not report.json["published_list"]
    for split in SPLITS:
        found = report.json["splits"][split]["found"]
        assert 6 <= found["identities"] <= 8 and found["samples"] >= 8
    answer = harness("lint", small(name), "--json")
    assert answer.code == 0 and answer.json == {"ok": True, "findings": []}
    done = run(str(small(name)))
    assert done.code == 0, done.err
    assert done.json["dataset"].startswith(f"{name}-synthetic@")


@pytest.mark.parametrize("name", ["rgbnt100", "rgbn300", "msvr310", "wmveid863"])
def test_the_marker_of_a_vehicle_set_says_that_people_are_drawn(small: Draw, name: str) -> None:
    assert "drawn people" in json.loads((small(name) / "SYNTHETIC.json").read_text())["note"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_command_draws_the_scale_asked_for(harness: Harness, name: str, tmp_path: Path) -> None:
    words = ["data", "synthesize", "--like", name, "--out", tmp_path / "x", "--json"]
    answer = harness(*words, "--scale", "smal")
    assert answer.code == 2 and answer.error["do"] == "did you mean 'small'?"
    assert not (tmp_path / "x").exists()


def test_a_set_that_nothing_draws_is_refused_with_those_that_can_be(
    harness: Harness, tmp_path: Path
) -> None:
    answer = harness("data", "synthesize", "--like", "custom", "--out", tmp_path / "x", "--json")
    assert answer.code == 2 and "data set that can be drawn" in answer.error["seen"]
    assert all(name in answer.error["expected"] for name in PUBLISHED)
    assert "custom" not in answer.error["expected"]


@pytest.mark.parametrize(("name", "width"), [("rgbnt100", 768), ("rgbn300", 512)])
def test_a_strip_is_cropped_into_its_modalities(small: Draw, name: str, width: int) -> None:
    data = opened(name, small(name))
    sample = data.samples("train")[0]
    (path,) = set(sample.paths.values())
    with Image.open(path) as strip:
        assert strip.size == (width, 128)
        whole = np.asarray(strip.convert("RGB"))
    parts = [np.asarray(read_sample(sample, m)) for m in data.card.modalities]
    assert all(p.shape == (128, 256, 3) for p in parts)
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    # NI and TI are grey, RGB is not: each modality got its own share.
    colours = [int(np.ptp(p.astype(int), axis=2).max()) for p in parts]
    assert colours[0] > 60 and max(colours[1:]) < 10


@pytest.mark.parametrize("name", ["rgbnt100", "rgbn300"])
@pytest.mark.parametrize("inner", ["rgbirt", ""])
def test_the_inner_folder_of_strips_may_be_called_otherwise_or_be_absent(
    harness: Harness, copy: Copy, name: str, inner: str
) -> None:
    root = copy(name)
    before = opened(name, root)
    hashes = before.data_hash, before.file_list_hash
    if inner:
        (root / "rgbir").rename(root / inner)
    else:
        for folder in list((root / "rgbir").iterdir()):
            folder.rename(root / folder.name)
        (root / "rgbir").rmdir()
    after = opened(name, root)
    assert (after.data_hash, after.file_list_hash) == hashes
    assert harness("data", "check", root, "--json").json["dataset"] == name


def test_the_inner_folder_itself_is_still_known_to_be_drawn(small: Draw) -> None:
    assert opened("rgbnt100", small("rgbnt100") / "rgbir").made_like == "rgbnt100"


def test_queries_of_msvr310_are_derived_where_their_folder_is_absent(
    harness: Harness, copy: Copy
) -> None:
    root = copy("msvr310")
    before = opened("msvr310", root)
    shutil.rmtree(root / "query3")
    after = opened("msvr310", root)
    assert [s.name for s in after.samples("query")] == [s.name for s in before.samples("query")]
    assert after.file_list_hash == before.file_list_hash
    assert "two scenes or more" in after.scans["query"].notes[0]
    report = harness("data", "check", root, "--json")
    assert report.code == 0 and report.json["dataset"] == "msvr310"


def test_labels_are_those_of_the_loaders_in_use(small: Draw) -> None:
    def first(name: str) -> tuple[str, int, int, int | None]:
        return opened(name, small(name)).samples("train")[0][:4]

    assert first("rgbnt201") == ("000001_cam1_0_00.jpg", 1, 0, None)
    assert first("rgbnt100") == ("0501_c0001_000.jpg", 501, 0, None)
    assert first("msvr310") == ("0001_s002_v0_000.jpg", 1, 0, 2)
    assert first("wmveid863") == ("0001_v1_n0_s999_010.jpg", 1, 1, 999)
    assert opened("msvr310", small("msvr310")).card.filter == "same_pid_same_scene"
    assert opened("wmveid863", small("wmveid863")).card.filter == "same_pid_same_view"


def test_market_junk_is_left_out_and_distractors_are_kept(small: Draw) -> None:
    root = small("market1501-mm")
    assert len(list((root / "gallery" / "NI").glob("-1_*"))) == 2
    gallery = opened("market1501-mm", root).samples("gallery")
    pids = [s.pid for s in gallery]
    assert -1 not in pids and pids.count(0) == 4


def test_unpaired_junk_is_no_problem(copy: Copy) -> None:
    root = copy("market1501-mm")
    for path in (root / "gallery" / "TI").glob("-1_*"):
        path.unlink()
    assert opened("market1501-mm", root).scans["gallery"].problems == ()


@pytest.mark.parametrize("root", ["Market-1501-RGBNT", "market1501_to_RGBNT201_dark"])
def test_market_is_found_under_the_names_in_use(harness: Harness, copy: Copy, root: str) -> None:
    place = copy("market1501-mm")
    place.rename(place.with_name(root))
    report = harness("data", "check", "market1501-mm", "--json")
    assert report.code == 0 and report.json["root"].endswith(root)


def test_known_incomplete_triplets_are_passed_over_with_a_note(small: Draw) -> None:
    data = opened("wmveid863", small("wmveid863"))
    assert (small("wmveid863") / "test" / "0476" / "ni" / "0476_v0_n0_s999_001.jpg").exists()
    assert not {s.pid for s in data.samples("gallery")} & {406, 476}
    (note,) = data.scans["gallery"].notes
    assert "passed over 4 samples" in note and "0476_v1_n0_s999_003.jpg" in note


def test_names_of_both_splits_are_noted(copy: Copy) -> None:
    root = copy("wmveid863")
    place = next(p for p in sorted((root / "train").iterdir()) if len(images(p)) >= 3)
    shutil.copytree(place, root / "test" / place.name, dirs_exist_ok=True)
    notes = opened("wmveid863", root).scans["gallery"].notes
    assert any("names are in train and in test" in note and place.name in note for note in notes)


def test_images_are_paired_by_name_and_not_by_position(copy: Copy) -> None:
    root = copy("wmveid863")
    place = sorted((root / "test").iterdir())[0]
    for path in (place / "th").iterdir():
        path.rename(path.with_name(path.name.replace("_s999_1", "_s999_5")))
    problems = opened("wmveid863", root).scans["gallery"].problems
    assert {type(p).__name__ for p in problems} == {"IncompleteTripletError"}


def test_what_file_browsers_leave_is_no_part_of_a_set(small: Draw, copy: Copy) -> None:
    for name in PUBLISHED:
        root = copy(name)
        for path in images(root)[::17]:
            (path.parent / "._x.jpg").write_bytes(b"x")
            (path.parent / "Thumbs.db").write_bytes(b"x")
        before, after = opened(name, small(name)), opened(name, root)
        assert after.scans["train"].problems == ()
        assert after.file_list_hash == before.file_list_hash


def test_a_leak_the_published_set_has_does_not_stop_a_run(
    harness: Harness, copy: Copy, run: Run
) -> None:
    root = copy("wmveid863")
    for folder in ("train", "test"):
        place = next(p for p in sorted((root / folder).iterdir()) if len(images(p)) > 3)
        for path in images(place):
            shutil.move(path, path.with_name("0325" + path.name[4:]))
        place.rename(place.with_name("0325"))
        if folder == "test":
            for path in images(root / "query" / place.name):
                path.rename(path.with_name("0325" + path.name[4:]))
            (root / "query" / place.name).rename(root / "query" / "0325")
    lint = harness("lint", root, "--json").json["findings"]
    assert [(f["rule"], f["severity"]) for f in lint] == [("known-identity-leak", "warning")]
    done = run(str(root))
    assert done.code == 0, done.err
