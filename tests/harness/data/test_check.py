"""`harness data check`: counts, copies, leaks, variants, and a memory that reads nothing twice."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from harness.base.files import cache_folder
from harness.base.hashing import digest, file_digest
from harness.data import contents
from harness.data.hashes import content_hash
from tests.conftest import Harness


def _pictures(root: Path, folder: str, modality: str) -> list[Path]:
    return sorted((root / folder / modality).iterdir())


def _check(harness: Harness, root: Path, *words: str) -> tuple[int, dict[str, object]]:
    answer = harness("data", "check", "rgbnt201", "--root", root, *words, "--json")
    return answer.code, answer.json


def _reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file that is read from here on."""
    opened: list[Path] = []
    examine = contents._examine

    def counting(path: Path, open_images: bool) -> contents.Content | None:
        opened.append(path)
        return examine(path, open_images)

    monkeypatch.setattr(contents, "_examine", counting)
    return opened


def test_missing_and_unpaired_images_are_counted(harness: Harness, damaged: Path) -> None:
    _pictures(damaged, "train_171", "NI")[0].unlink()
    _pictures(damaged, "train_171", "TI")[0].unlink()
    _pictures(damaged, "test", "TI")[2].unlink()
    code, report = _check(harness, damaged)
    splits = report["splits"]
    assert code == 2
    assert splits["train"]["missing"] == {"RGB": 0, "NI": 1, "TI": 1}
    assert splits["train"]["unpaired"] == 1 and splits["query"]["unpaired"] == 0
    assert splits["gallery"]["missing"]["TI"] == 1
    text = harness("data", "check", "rgbnt201", "--root", damaged).out
    assert "19 of 3951, 1 samples without" in text and "2 IncompleteTripletError" in text


def test_the_same_bytes_as_two_identities_is_an_error(harness: Harness, damaged: Path) -> None:
    first, *_, last = _pictures(damaged, "train_171", "NI")
    shutil.copy(first, last)
    code, report = _check(harness, damaged)
    (problem,) = report["problems"]
    assert code == 2 and problem["kind"] == "DuplicateImageError"
    assert f"{first} (identity 1), {last} (identity 5)" in problem["seen"]
    (copies,) = report["copies"]
    assert copies["identities"] == [1, 5] and copies["modality"] == "NI"
    assert copies["files"] == [f"train_171/NI/{first.name}", f"train_171/NI/{last.name}"]


def test_copies_of_one_identity_are_a_warning(harness: Harness, damaged: Path) -> None:
    first, second, *_ = _pictures(damaged, "test", "RGB")
    shutil.copy(first, second)
    code, report = _check(harness, damaged)
    assert code == 0 and report["problems"] == []
    assert [w["kind"] for w in report["warnings"]] == ["same-bytes"]
    answer = harness("data", "check", "rgbnt201", "--root", damaged)
    assert "warning: 2 files in 1 group (1 of RGB) of one identity" in answer.out
    assert "nothing is wrong with the files; 1 warnings" in answer.out


def test_a_modality_copied_to_another_is_a_warning(harness: Harness, damaged: Path) -> None:
    shutil.rmtree(damaged / "test" / "NI")
    shutil.copytree(damaged / "test" / "RGB", damaged / "test" / "NI")
    code, report = _check(harness, damaged)
    (warning,) = report["warnings"]
    assert code == 0 and warning["kind"] == "same-bytes-two-modalities"
    assert "RGB and NI are the same bytes in 16 of 36 samples" in warning["seen"]


def test_an_identity_in_train_and_test_says_where(harness: Harness, damaged: Path) -> None:
    for modality in ("RGB", "NI", "TI"):
        source = damaged / "test" / modality / "000011_cam1_0_00.jpg"
        shutil.copy(source, damaged / "train_171" / modality)
    _, report = _check(harness, damaged)
    (problem,) = report["problems"]
    assert problem["kind"] == "IdentityLeakError" and "1 in query, 1 in gallery" in problem["seen"]
    assert [w["kind"] for w in report["warnings"]] == ["same-bytes-train-and-test"]


def test_a_link_to_nothing_is_unreadable(harness: Harness, damaged: Path) -> None:
    path = _pictures(damaged, "test", "NI")[0]
    path.unlink()
    path.symlink_to("elsewhere.jpg")
    code, report = _check(harness, damaged)
    (problem,) = report["problems"]
    assert code == 2 and problem["kind"] == "UnreadableImageError"
    assert f"{path} is a link to elsewhere.jpg" in problem["seen"]


def test_a_second_check_reads_nothing(
    harness: Harness, damaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = _pictures(damaged, "test", "TI")[1]
    bad.write_bytes(bad.read_bytes()[:200])
    opened = _reads(monkeypatch)
    first = _check(harness, damaged)
    assert len(opened) == len(set(opened)) == 36 * 3
    opened.clear()
    assert _check(harness, damaged) == first and first[0] == 2
    assert opened == []


def test_only_what_changed_is_read_again(
    harness: Harness, damaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _check(harness, damaged)
    opened = _reads(monkeypatch)
    resized, touched = _pictures(damaged, "test", "RGB")[:2]
    resized.write_bytes(resized.read_bytes() + b"\0")
    os.utime(touched, ns=(1, 1))
    _check(harness, damaged)
    assert sorted(opened) == [resized, touched]


def test_checking_and_hashing_share_one_memory(
    harness: Harness, damaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _check(harness, damaged)
    opened = _reads(monkeypatch)
    files = [p for p in damaged.rglob("*.jpg")]
    rows = [[p.relative_to(damaged).as_posix(), file_digest(p)] for p in sorted(files)]
    assert content_hash(damaged, files) == digest(rows)
    assert opened == []


@pytest.mark.parametrize("damage", [b"", b"[1, 2]", b'{"test/RGB/x.jpg": [1, 2, 3]}', b"\xff{"])
def test_a_damaged_memory_is_ignored(harness: Harness, damaged: Path, damage: bytes) -> None:
    first = _check(harness, damaged)
    memory = cache_folder() / "digests" / f"{digest(str(damaged.resolve()))[:16]}.json"
    assert len(json.loads(memory.read_text())) == 36 * 3
    memory.write_bytes(damage)
    assert _check(harness, damaged) == first
    assert len(json.loads(memory.read_text())) == 36 * 3


def test_an_interrupted_check_keeps_what_it_read(
    damaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sorted(damaged.rglob("*.jpg"))
    stop_at, examine = files[70], contents._examine

    def interrupted(path: Path, open_images: bool) -> contents.Content | None:
        if path == stop_at:
            raise KeyboardInterrupt
        return examine(path, open_images)

    monkeypatch.setattr(contents, "_examine", interrupted)
    with pytest.raises(KeyboardInterrupt):
        contents.read_contents(damaged, files, open_images=True)
    assert set(files[:64]) <= set(contents.known_contents(damaged, files)) < set(files)


@pytest.fixture
def variant(damaged: Path) -> Path:
    """A set that does not say it was drawn, so that it is a variant of the published one."""
    (damaged / "SYNTHETIC.json").unlink()
    return damaged


def test_a_variant_says_what_differs_and_can_be_accepted(harness: Harness, variant: Path) -> None:
    code, report = _check(harness, variant)
    assert code == 0 and report["accepted"] is None
    assert "train: 20 samples of 3951" in report["differs"]
    assert "--accept-variant" in harness("data", "check", "rgbnt201", "--root", variant).out
    code, report = _check(harness, variant, "--accept-variant")
    assert code == 0 and report["accepted"]["differs"] == report["differs"]
    assert report["accepted"]["file_list_hash"] == report["file_list_hash"]
    assert _check(harness, variant)[1]["accepted"] == report["accepted"]
    for path in variant.glob("test/*/000011_cam1_0_00.jpg"):
        path.unlink()
    assert _check(harness, variant)[1]["accepted"] is None


def test_what_is_broken_or_drawn_is_not_accepted(
    harness: Harness, variant: Path, drawn: Path
) -> None:
    words = ("data", "check", "rgbnt201", "--accept-variant", "--root")
    assert "not accepted as a variant" in harness(*words, drawn).out
    _pictures(variant, "test", "NI")[0].write_bytes(b"")
    answer = harness(*words, variant)
    assert answer.code == 2 and "not accepted as a variant: it has problems" in answer.out
