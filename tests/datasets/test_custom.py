"""A set from a manifest: read, checked, trained on, and refused with the row named."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.data.arrays import decode
from harness.data.open import open_dataset
from harness.data.opened import OpenDataset
from harness.spec.plugins import load_plugins
from tests.conftest import Harness
from tests.datasets.conftest import Run

Row = dict[str, object]
Write = Callable[..., Path]


def _rows(drawn: Path) -> list[Row]:
    """The drawn set of the tests as rows: 20 to train on, 16 to test."""
    rows: list[Row] = []
    for folder, split in (("train_171", "train"), ("test", "test")):
        for path in sorted((drawn / folder / "RGB").iterdir()):
            paths = {m: f"set/{folder}/{m}/{path.name}" for m in ("RGB", "NI", "TI")}
            row = {"pid": int(path.name[:6]), "camid": int(path.name[10]), "split": split}
            rows.append(paths | row)
    return rows


@pytest.fixture
def rows(drawn: Path) -> list[Row]:
    return _rows(drawn)


@pytest.fixture
def write(drawn: Path, tmp_path: Path) -> Write:
    """Write rows as a manifest beside a link to the pictures."""
    (tmp_path / "set").symlink_to(drawn)

    def to(rows: list[Row], name: str = "manifest.csv") -> Path:
        path = tmp_path / name
        if path.suffix == ".json":
            path.write_text(json.dumps(rows))
            return path
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    return to


def _opened(path: Path) -> OpenDataset:
    return open_dataset(str(path), load_plugins())


@pytest.mark.parametrize("name", ["manifest.csv", "mine.json"])
def test_a_manifest_is_checked_linted_and_trained_on(
    harness: Harness, run: Run, rows: list[Row], write: Write, name: str
) -> None:
    path = write(rows, name)
    report = harness("data", "check", path, "--json")
    assert report.code == 0 and report.json["dataset"] == "custom"
    splits = report.json["splits"]
    assert splits["train"]["found"] == {"identities": 5, "samples": 20, "cameras": 2}
    assert splits["query"]["folder"] == splits["gallery"]["folder"] == "test"
    assert harness("lint", path, "--json").code == 0
    done = run(str(path))
    assert done.code == 0, done.err
    assert done.json["dataset"].startswith("custom@")


def test_it_scores_as_the_same_pictures_in_a_published_layout(
    run: Run, rows: list[Row], write: Write, drawn: Path
) -> None:
    ours, theirs = run(str(write(rows))).json, run(str(drawn)).json
    assert ours["metrics"] == theirs["metrics"] and ours["chance"] == theirs["chance"]


def test_absent_modalities_are_a_mask_and_no_error(
    run: Run, rows: list[Row], write: Write, harness: Harness, tiny: Path
) -> None:
    for number, row in enumerate(rows):
        row[("RGB", "NI", "TI")[number % 3]] = ""
    data = _opened(write(rows))
    arrays = decode(data, 16, 8)
    assert arrays.present.sum(axis=1).tolist() == [2] * 36
    assert not arrays.images[~arrays.present].any() and arrays.images[arrays.present].any()
    assert harness("data", "check", data.root / "manifest.csv", "--json").code == 0
    plugin = data.root / "tiny.py"
    plugin.write_text(tiny.read_text().replace(":Tiny", ':Tiny", missing="zero_normalised'))
    done = run(str(data.root / "manifest.csv"), plugin)
    assert done.code == 0, done.err


def test_a_modality_nobody_has_is_no_part_of_the_set(rows: list[Row], write: Write) -> None:
    fewer = [{k: v for k, v in row.items() if k != "NI"} for row in rows]
    assert _opened(write(fewer)).card.modalities == ("RGB", "TI")


def test_query_and_gallery_may_be_other_rows(rows: list[Row], write: Write) -> None:
    for row in rows:
        if row["split"] == "test":
            row["split"] = "query" if row["camid"] == 1 else "gallery"
    data = _opened(write(rows))
    assert [len(data.samples(s)) for s in ("train", "query", "gallery")] == [20, 8, 8]  # type: ignore[arg-type]
    assert data.card.folders["query"] != data.card.folders["gallery"]


def test_the_labels_are_part_of_the_datas_hash(rows: list[Row], write: Write) -> None:
    before = _opened(write(rows)).data_hash
    rows[0]["pid"] = 2
    assert _opened(write(rows)).data_hash != before


def test_pictures_may_lie_above_the_manifest(
    rows: list[Row], write: Write, tmp_path: Path, harness: Harness
) -> None:
    (tmp_path / "lists").mkdir()
    for row in rows:
        row |= {m: f"../{row[m]}".replace("/", "\\") for m in ("RGB", "NI", "TI")}
    data = _opened(write(rows, "lists/manifest.csv"))
    assert data.root == tmp_path and len(data.data_hash) == 64
    assert harness("data", "check", tmp_path / "lists" / "manifest.csv", "--json").code == 0


@pytest.mark.parametrize(
    ("separator", "encoding"),
    [(";", "utf-8"), ("\t", "utf-8"), (",", "utf-8-sig"), (";", "utf-16"), (",", "utf-16")],
)
def test_a_manifest_as_a_spreadsheet_writes_it(
    rows: list[Row], write: Write, separator: str, encoding: str
) -> None:
    plain = _opened(write(rows))
    path = write(rows, "other.csv")
    path.write_bytes(path.read_text().replace(",", separator).encode(encoding))
    assert _opened(path).samples("train") == plain.samples("train")


@pytest.mark.parametrize("name", ["pandas.csv", "pandas.json"])
def test_whole_numbers_may_be_written_as_pandas_does(
    rows: list[Row], write: Write, name: str
) -> None:
    plain = _opened(write(rows))
    for row in rows:
        row |= {"pid": float(str(row["pid"])), "camid": float(str(row["camid"]))}
    assert _opened(write(rows, name)).samples("gallery") == plain.samples("gallery")


def test_without_cameras_a_scene_or_nothing_is_removed(rows: list[Row], write: Write) -> None:
    for row in rows:
        row["scene"] = row.pop("camid")
    assert _opened(write(rows)).card.filter == "same_pid_same_scene"
    for row in rows:
        camera = row.pop("scene")
        if row["split"] == "test":
            row["split"] = "query" if camera == 1 else "gallery"
    data = _opened(write(rows))
    assert data.card.filter == "none" and "no cameras" in data.scans["query"].notes[0]


def test_without_a_split_all_is_test(rows: list[Row], write: Write) -> None:
    tested = [{k: v for k, v in r.items() if k != "split"} for r in rows if r["split"] == "test"]
    data = _opened(write(tested))
    assert [len(data.samples(s)) for s in ("train", "query", "gallery")] == [0, 16, 16]  # type: ignore[arg-type]


def test_the_manifest_is_found_by_the_sets_name(
    harness: Harness, rows: list[Row], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(rows)
    monkeypatch.setenv("HARNESS_DATA", str(path.parent))
    assert harness("data", "check", "custom", "--json").code == 0
    assert harness("data", "check", "custom", "--root", path, "--json").code == 0


Change = Callable[[list[Row]], object]


def _set(number: int, **values: object) -> Change:
    return lambda rows: rows[number].update(values)


def _each(change: Callable[[Row], object]) -> Change:
    return lambda rows: [change(row) for row in rows]


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (
            _set(3, NI="set/no.jpg"),
            "IncompleteTripletError",
            ["line 5", "no NI file", "set/no.jpg"],
        ),
        (_set(0, RGB="", NI="", TI=""), "DataError", ["line 2", "no image at all"]),
        (_set(2, pid="anna"), "DataError", ["line 4", "pid is 'anna'", "whole number from 0"]),
        (_set(2, pid="-1"), "DataError", ["line 4", "pid is '-1'"]),
        (_set(2, pid=2**63), "DataError", ["line 4", f"pid is '{2**63}'", str(2**63 - 1)]),
        (_set(2, camid=10**25), "DataError", ["line 4", f"camid is '{10**25}'"]),
        (_set(2, pid="2.5"), "DataError", ["line 4", "pid is '2.5'"]),
        (_set(1, camid=""), "DataError", ["line 3", "camid is ''"]),
        (_set(1, split="val"), "DataError", ["line 3", "'val'", "train, query, gallery, test"]),
        (lambda r: r.append(r[0]), "DataError", ["line 38", "already, at line 2"]),
        (_each(lambda r: r.pop("pid")), "LayoutError", ["pid and one of RGB, NI, TI"]),
        (_each(lambda r: r.update(NIR=r.pop("NI"))), "DataError", ["'NIR'", "did you mean 'NI'"]),
        (_each(lambda r: r.pop("camid")), "DataError", ["16 samples", "finding itself", "camid"]),
        (_each(lambda r: r.update(split="train")), "DataError", ["of the split query"]),
    ],
)
def test_a_bad_manifest_is_answered_with_its_row(
    run: Run, rows: list[Row], write: Write, change: Change, kind: str, words: list[str]
) -> None:
    change(rows)
    answer = run(str(write(rows)))
    assert answer.code == 2, answer.err
    text = " ".join(answer.error.values())
    assert answer.error["kind"] == kind, text
    assert all(word in text for word in words), text


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("m.json", "{", ["cannot be read as a manifest"]),
        ("m.json", '{"RGB": "a.jpg"}', ["holds a dict, not a list"]),
        ("m.json", '[{"RGB": "a.jpg", "pid": 1.5}]', ["entry 1: pid is 1.5"]),
        ("m.json", "[]", ["has no rows"]),
        ("m.csv", "", ["has no rows"]),
        ("m.csv", "RGB,pid\na.jpg\n", ["line 2 has 1 cells, the header 2"]),
        ("m.csv", "RGB,pid,pid\n", ["names a column twice"]),
        ("m.csv", "RGB;pid\na.jpg;1\n", ["line 2", "no RGB file"]),
        ("m.csv", ",RGB,pid\n0,a.jpg,1\n", ["column without a name", "index=False"]),
        ("m.csv", b"\xff\xfe\x00", ["UTF-8"]),
    ],
)
def test_a_file_that_is_no_manifest(
    run: Run, tmp_path: Path, name: str, text: str | bytes, words: list[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    answer = run(str(path))
    assert answer.code == 2, answer.err
    assert all(word in " ".join(answer.error.values()) for word in words), answer.error


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\xd8\xffcut", ["cannot be decoded"]), (b"<html>", ["web page", "<html>"])],
)
def test_a_picture_that_is_none(
    run: Run, rows: list[Row], write: Write, content: bytes, words: list[str], tmp_path: Path
) -> None:
    (tmp_path / "bad.jpg").write_bytes(content)
    rows[7]["TI"] = "bad.jpg"
    answer = run(str(write(rows)))
    assert answer.error["kind"] == "UnreadableImageError" and "bad.jpg" in answer.error["seen"]
    assert all(word in " ".join(answer.error.values()) for word in words)


def test_a_path_that_is_no_set(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    for path, words in ((tmp_path / "notes.txt", "5 bytes"), (tmp_path / "no.csv", "there is no")):
        answer = run(str(path))
        assert answer.error["kind"] == "DatasetNotFoundError" and words in answer.error["seen"]


def test_the_folder_of_a_manifest_may_be_named(rows: list[Row], write: Write) -> None:
    path = write(rows)
    by_folder, by_file = _opened(path.parent), _opened(path)
    assert by_folder.data_hash == by_file.data_hash and by_folder.card.name == "custom"
