"""Sets are written whole, the same by any way, and never over something else."""

from __future__ import annotations

import errno
import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from harness.base.errors import DataError, DiskFullError, FileNameError
from harness.spec.modality import MODALITIES, Modality
from reid_datasets import synthesize
from reid_datasets.figures import Identity, draw_triplet, twin_of
from reid_datasets.names import embedded_names, rgbnt201_names
from reid_datasets.synthesize import write_parallel

NAMES = {
    "train_171": [
        f"{pid:06d}_cam{cam}_0_{i:02d}.jpg" for pid in (1, 2, 3) for cam in (1, 2) for i in range(5)
    ],
    "test": [f"000501_cam{cam}_1_07.jpg" for cam in (1, 2)],
}
SIZE = (64, 32)
GRAMMAR = re.compile(r"^(\d{6})_cam(\d)_(\d)_(\d{2})\.jpg$")
LISTS = Path(__file__).parents[2].parent / "shared" / "data" / "filelists" / "RGBNT201"


def _content(root: Path) -> dict[str, str]:
    return {
        str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in root.rglob("*")
        if p.is_file()
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sets") / "whole"
    write_parallel(root, NAMES, seed=5, size=SIZE, name="trial", workers=1)
    return root


def test_the_layout_is_that_of_rgbnt201(whole: Path) -> None:
    for folder, names in NAMES.items():
        for modality in MODALITIES:
            assert sorted(p.name for p in (whole / folder / modality).iterdir()) == sorted(names)
    with Image.open(whole / "test" / "TI" / NAMES["test"][0]) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (32, 64))
    assert [p.name for p in whole.parent.iterdir()] == ["whole"]


def test_the_marker_says_that_nothing_is_real(whole: Path) -> None:
    assert json.loads((whole / "SYNTHETIC.json").read_text()) == {
        "name": "trial",
        "generator": "figures",
        "version": synthesize.VERSION,
        "seed": 5,
        "size": [64, 32],
        "counts": {"train_171": 30, "test": 2},
    }


def test_workers_and_order_change_nothing(whole: Path, tmp_path: Path) -> None:
    backwards = {folder: NAMES[folder][::-1] for folder in NAMES}
    write_parallel(tmp_path / "two", backwards, seed=5, size=SIZE, name="trial", workers=2)
    assert _content(tmp_path / "two") == _content(whole)


def test_another_seed_gives_other_pictures(whole: Path, tmp_path: Path) -> None:
    write_parallel(tmp_path / "x", {"test": NAMES["test"]}, seed=6, size=SIZE, workers=1)
    ours, theirs = _content(tmp_path / "x"), _content(whole)
    assert all(ours[name] != theirs[name] for name in ours)


def test_progress_counts_up_to_the_whole(tmp_path: Path) -> None:
    seen: list[int] = []
    write_parallel(tmp_path / "x", NAMES, 0, SIZE, workers=1, progress=seen.append)
    assert sum(seen) == 32 and len(seen) > 2


def test_a_second_call_goes_on_where_the_first_stopped(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "x"
    partial = _interrupted(out)
    kept = {p: p.stat().st_mtime_ns for p in partial.rglob("*.jpg")}
    assert kept and not out.exists()
    damaged = sorted(kept)[0]
    damaged.write_bytes(damaged.read_bytes()[:-20])
    (partial / "test" / "NI" / ".000501_cam1_1_07.jpg.99.tmp").write_bytes(b"half")
    drawn = _counting(monkeypatch)
    write_parallel(out, NAMES, seed=5, size=SIZE, name="trial", workers=1)
    assert len(drawn) == 32 - len(kept) // 3 + 1
    assert _content(out) == _content(whole)
    after = {path: out / path.relative_to(partial) for path in kept}
    assert all(after[p].stat().st_mtime_ns == t for p, t in kept.items() if p.name != damaged.name)


def test_what_another_seed_left_is_not_mixed_in(whole: Path, tmp_path: Path) -> None:
    _interrupted(tmp_path / "x", seed=6)
    write_parallel(tmp_path / "x", NAMES, seed=5, size=SIZE, name="trial", workers=1)
    assert _content(tmp_path / "x") == _content(whole)


def test_a_folder_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / ".x.partial" / "thesis.txt"
    theirs.parent.mkdir()
    theirs.write_text("mine")
    with pytest.raises(DataError, match=r"thesis\.txt"):
        write_parallel(tmp_path / "x", NAMES, 0, SIZE, workers=1)
    assert theirs.read_text() == "mine"


def test_a_full_folder_is_refused_and_an_empty_one_is_used(tmp_path: Path) -> None:
    out = tmp_path / "x"
    out.mkdir()
    write_parallel(out, {"test": NAMES["test"]}, 0, SIZE, workers=1)
    before = _content(out)
    with pytest.raises(DataError, match="not empty") as caught:
        write_parallel(out, {"test": NAMES["test"]}, 0, SIZE, workers=1)
    assert "another folder" in caught.value.do
    assert _content(out) == before


def test_a_full_disk_is_named_and_a_later_call_goes_on(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "x"
    real = synthesize.write_jpeg
    written: list[Path] = []

    def fills_up(path: Path, image: Image.Image, quality: int) -> None:
        if len(written) == 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        real(path, image, quality)

    with monkeypatch.context() as patch:
        patch.setattr(synthesize, "write_jpeg", fills_up)
        with pytest.raises(DiskFullError, match="no space left"):
            write_parallel(out, NAMES, seed=5, size=SIZE, name="trial", workers=1)
    assert not out.exists()
    drawn = _counting(monkeypatch)
    write_parallel(out, NAMES, seed=5, size=SIZE, name="trial", workers=1)
    assert len(drawn) == 32 - 6
    assert _content(out) == _content(whole)


def test_two_calls_at_once_make_one_set(whole: Path, tmp_path: Path) -> None:
    started = threading.Barrier(2)
    failures: list[Exception] = []

    def call() -> None:
        started.wait()
        try:
            write_parallel(tmp_path / "x", NAMES, seed=5, size=SIZE, name="trial", workers=1)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert _content(tmp_path / "x") == _content(whole)
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("name", ["000001.jpg", "1_cam1_0_00.jpg", "000001_cam1_0_00.png", "../a"])
def test_a_name_outside_the_grammar_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileNameError, match="the file name"):
        write_parallel(tmp_path / "x", {"test": [name]}, 0, SIZE, workers=1)
    assert list(tmp_path.iterdir()) == []


def test_the_names_of_rgbnt201_have_its_counts() -> None:
    names = rgbnt201_names()
    assert {f: len(n) for f, n in names.items()} == {"train_171": 3951, "test": 836}
    assert {f: len(_pids(n)) for f, n in names.items()} == {"train_171": 171, "test": 30}
    assert not _pids(names["train_171"]) & _pids(names["test"])
    cameras = {f: Counter(int(GRAMMAR.match(n)[2]) for n in names[f]) for f in names}  # type: ignore[index]
    assert cameras["train_171"] == {1: 2592, 2: 1142, 4: 129, 3: 88}
    assert cameras["test"] == {1: 365, 2: 471}


def test_the_names_of_rgbnt201_are_the_released_ones() -> None:
    if not LISTS.exists():
        pytest.skip(f"the released file list is not at {LISTS}")
    names = rgbnt201_names()
    assert names["train_171"] == sorted((LISTS / "train.txt").read_text().split())
    assert names["test"] == sorted((LISTS / "test.txt").read_text().split())


def test_the_embedded_set_has_others_to_test_on_than_to_train_on() -> None:
    names = embedded_names()
    train, test = _pids(names["train_171"]), _pids(names["test"])
    assert (len(train), len(test), len(train & test)) == (24, 24, 0)
    per_cell = {f: set(Counter(n[:11] for n in names[f]).values()) for f in names}
    assert per_cell == {"train_171": {4}, "test": {3}}
    assert all(len(names[f]) == len(set(names[f])) for f in names)
    assert {t.told_by for pid in test if (t := twin_of(pid)) is not None and t.pid in test} == {
        "NI",
        "TI",
    }


def _pids(names: Sequence[str]) -> set[int]:
    return {int(name[:6]) for name in names}


def _interrupted(out: Path, seed: int = 5) -> Path:
    """A call that ends after its first share; returns the folder it left."""

    def stop(count: int) -> None:
        if count:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_parallel(out, NAMES, seed, SIZE, name="trial", workers=1, progress=stop)
    return out.with_name(f".{out.name}.partial")


def _counting(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    drawn: list[tuple[int, int]] = []

    def counted(
        identity: Identity, camid: int, index: int, seed: int, size: tuple[int, int]
    ) -> dict[Modality, Image.Image]:
        drawn.append((identity.pid, index))
        return draw_triplet(identity, camid, index, seed, size)

    monkeypatch.setattr(synthesize, "draw_triplet", counted)
    return drawn
