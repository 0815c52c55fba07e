"""Archives: what harness submit writes, what another machine makes of it, what is refused."""

from __future__ import annotations

import io
import json
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import BundleError
from harness.evidence.trust import Trust
from harness.spec.plugins import Plugins, load_plugins
from harness.store import open_store
from harness.verify import Finder
from harness.verify.receive import LIMITS, Limits, admit, verify_bundle
from tests.conftest import Harness
from tests.forging import edit, folder_of, mend_hashes, recount, rewrite, said, zipped


@pytest.fixture(scope="module")
def known() -> Plugins:
    return load_plugins()


@pytest.fixture
def finder(known: Plugins) -> Finder:
    return Finder(known)


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return folder_of(Path(shutil.copytree(finished, tmp_path / "runs")))


def _first_problem(path: Path, finder: Finder, limits: Limits = LIMITS) -> tuple[str, str]:
    wrong = [c for c in verify_bundle(path, finder, limits) if c.problem]
    return (wrong[0].name, wrong[0].problem) if wrong else ("", "")


def test_the_archive_is_the_same_bytes_and_holds_elsewhere(
    harness: Harness, run: Path, tmp_path: Path, drawn: Path
) -> None:
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    for path in (one, two):
        done = harness("submit", run, "--to", path, "--json")
        assert done.code == 0 and done.json["bytes"] == path.stat().st_size
    assert one.read_bytes() == two.read_bytes()
    assert "and the command: " in done.err
    shutil.rmtree(run)
    found = harness("verify", one, "--dataset", drawn, "--json")
    assert found.code == 0 and found.json["ok"] and found.json["trust"] is None
    unchecked = {c["name"] for c in found.json["checks"] if c["status"] == "not checked"}
    assert unchecked == {"evidence weights", "weights"}


def test_weights_go_in_when_asked_for(harness: Harness, run: Path, tmp_path: Path) -> None:
    path = tmp_path / "whole.zip"
    assert "weights.safetensors" in harness("submit", run, "--weights", "--to", path).out
    checks = harness("verify", path, "--json").json["checks"]
    assert next(c for c in checks if c["name"] == "weights")["status"] == "holds"


def test_what_does_not_hold_is_not_submitted(harness: Harness, run: Path, tmp_path: Path) -> None:
    edit(run, {"queries": 17})
    done = harness("submit", run, "--to", tmp_path / "no.zip", "--json")
    assert done.code == 2 and "queries: the record says 17" in done.error["seen"]
    assert not (tmp_path / "no.zip").exists()


def test_an_admitted_run_is_a_row_of_the_store(run: Path, tmp_path: Path, finder: Finder) -> None:
    path = zipped(run, tmp_path / "a.zip")
    out = tmp_path / "theirs"
    out.mkdir()
    kept = admit(path, out, finder)
    assert kept.fresh and kept.level is Trust.RESCORED
    assert kept.path == out / "submitted" / said(run, "run_id") / "record.json"
    assert [s.trust for s in open_store(out).summaries()] == [Trust.RESCORED]
    assert not list((out / "submitted").glob(".*")), "nothing is left of the unpacking"
    assert not admit(path, out, finder).fresh


def test_the_command_adds_an_archive(harness: Harness, run: Path, tmp_path: Path) -> None:
    path = zipped(run, tmp_path / "a.zip")
    (tmp_path / "theirs").mkdir()
    words = ["--add", "--out", tmp_path / "theirs"]
    done = harness("verify", path, *words, "--json")
    assert done.code == 0 and done.json["added"] and done.json["trust"] == "rescored"
    assert "which the store had already" in harness("verify", path, *words).out
    wrong = harness("verify", run, *words, "--json")
    assert wrong.code == 2 and "is no archive" in wrong.error["seen"]


def test_a_level_in_the_archive_is_ignored_and_not_kept(
    run: Path, tmp_path: Path, finder: Finder
) -> None:
    record = json.loads((run / "record.json").read_text()) | {"trust": "rerun"}
    (run / "record.json").write_text(json.dumps(record))
    path = zipped(run, tmp_path / "a.zip")
    (tmp_path / "theirs").mkdir()
    kept = admit(path, tmp_path / "theirs", finder)
    assert kept.level is Trust.RESCORED
    assert any(c.name == "trust" and "is ignored" in c.unchecked for c in kept.checks)
    assert "trust" not in json.loads(kept.path.read_text())


def test_a_forged_archive_is_not_kept(run: Path, tmp_path: Path, finder: Finder) -> None:
    metrics = said(run, "metrics")
    edit(run, {"metrics": metrics | {"mAP": 99.0}})
    path = zipped(run, tmp_path / "a.zip")
    out = tmp_path / "theirs"
    out.mkdir()
    with pytest.raises(BundleError, match=r"metrics mAP: the record says 99\.0"):
        admit(path, out, finder)
    assert not open_store(out).summaries() and not list((out / "submitted").iterdir())


Entry = tuple[zipfile.ZipInfo, bytes]


def _entries(path: Path) -> list[Entry]:
    with zipfile.ZipFile(path) as archive:
        return [(info, archive.read(info)) for info in archive.infolist()]


def _write(path: Path, entries: list[Entry]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for info, content in entries:
            archive.writestr(info, content, compress_type=info.compress_type)
    return path


def _info(name: str, kind: int = stat.S_IFREG) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o644) << 16
    return info


def _compressed(entries: list[Entry]) -> list[Entry]:
    entries[0][0].compress_type = zipfile.ZIP_DEFLATED
    return entries


def _bomb(entries: list[Entry]) -> list[Entry]:
    info = _info("train.jsonl")
    info.compress_type = zipfile.ZIP_DEFLATED
    return [e for e in entries if e[0].filename != "train.jsonl"] + [(info, bytes(50 << 20))]


_ATTACKS: dict[str, tuple[Callable[[list[Entry]], list[Entry]], str]] = {
    "parent": (lambda e: [*e, (_info("../evil"), b"x")], "is no file of a run"),
    "absolute": (lambda e: [*e, (_info("/tmp/evil"), b"x")], "is no file of a run"),
    "backslash": (lambda e: [*e, (_info("..\\evil"), b"x")], "is no file of a run"),
    "folder": (lambda e: [*e[:-1], (_info("weights.safetensors/"), b"")], "is no plain file"),
    "link": (lambda e: [*e[1:], (_info("record.json", stat.S_IFLNK), b"/etc/passwd")], "a link"),
    "device": (lambda e: [*e[1:], (_info("record.json", stat.S_IFCHR), b"")], "a device"),
    "pipe": (lambda e: [*e[1:], (_info("record.json", stat.S_IFIFO), b"")], "is no plain file"),
    "compressed": (_compressed, "is compressed"),
    "bomb": (_bomb, "is compressed"),
    "twice": (lambda e: [*e, e[0]], "is there twice"),
    "lacking": (lambda e: e[1:], "record.json is not in it"),
    "many": (lambda e: [*e, *[(_info(f"f{i}"), b"") for i in range(50)]], "names 55 entries"),
    "trust": (lambda e: [*e, (_info("trust.json"), b'"rerun"')], "is no file of a run"),
}


@pytest.mark.parametrize("attack", _ATTACKS)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_that_is_not_plain_is_refused(
    run: Path, tmp_path: Path, finder: Finder, attack: str
) -> None:
    change, words = _ATTACKS[attack]
    entries = change(_entries(zipped(run, tmp_path / "good.zip")))
    name, problem = _first_problem(_write(tmp_path / "bad.zip", entries), finder)
    assert name == "archive" and words in problem


@pytest.mark.parametrize("where", [0, 1, 2])
def test_an_archive_with_bytes_of_its_own_is_refused(
    run: Path, tmp_path: Path, finder: Finder, where: int
) -> None:
    path = zipped(run, tmp_path / "a.zip")
    whole = path.read_bytes()
    path.write_bytes([b"#!/bin/sh\n" + whole, whole + b"<html>", whole[:-40]][where])
    assert _first_problem(path, finder)[0] == "archive"


def test_limits_are_kept(run: Path, tmp_path: Path, finder: Finder) -> None:
    path = zipped(run, tmp_path / "a.zip")
    name, problem = _first_problem(path, finder, Limits(size=1000))
    assert name == "archive" and "holds" in problem
    name, problem = _first_problem(path, finder, Limits(pairs=100))
    assert name == "features" and "16 queries and 16 gallery rows" in problem


def _npz(arrays: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in arrays.items():
            file.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def _npy(header: str, content: bytes = b"") -> bytes:
    text = header.encode("latin-1") + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def _claims(descr: str, shape: str) -> bytes:
    return _npy(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}", bytes(64))


_NO_HEADER = "none that NumPy writes"
_ARRAYS = {
    "huge": (_claims("'<f4'", "(1000000000, 1000000)"), "claims"),
    "overflowing": (_claims("'<f4'", f"({2**62}, 4)"), "claims"),
    "short": (_claims("'<f4'", "(4, 5)"), "claims 80 bytes"),
    "negative": (_claims("'<f4'", "(-4, 4)"), _NO_HEADER),
    "octal": (_claims("'<f4'", "(04, 4)"), _NO_HEADER),
    "objects": (_claims("'|O'", "(8, 1)"), _NO_HEADER),
    "fields": (_claims("[('a', '<f4')]", "(4, 4)"), _NO_HEADER),
    "foreign": (_claims("'>f4'", "(4, 4)"), _NO_HEADER),
    "text": (_claims("'<U4'", "(2, 2)"), "has the type U4"),
    "odd": (_claims("'<f3'", "(2, 2)"), "has the type f3"),
    "flat": (_claims("'<f4'", "(16,)"), "2 dimensions"),
    "code": (_npy("__import__('os').system('touch pwned')"), _NO_HEADER),
    "long": (_npy("[" * 9000), _NO_HEADER),
    "pickle": (b"cos\nsystem\n(S'touch pwned'\ntR.", _NO_HEADER),
}


@pytest.mark.parametrize("attack", _ARRAYS)
def test_arrays_that_lie_are_refused_before_room_is_made(
    run: Path, tmp_path: Path, finder: Finder, attack: str
) -> None:
    content, words = _ARRAYS[attack]
    (run / "features.npz").write_bytes(_npz({"features": content}))
    mend_hashes(run)
    name, problem = _first_problem(zipped(run, tmp_path / "a.zip"), finder)
    assert name == "features" and words in problem
    assert not list(Path.cwd().glob("pwned"))


_FIELDS: dict[str, Any] = {
    "method": "<script>alert(1)</script>",
    "created": "yesterday",
    "selection": "last\x1b[2J",
    "code_hash": "abc",
    "harness_version": "1\n2",
    "environment": {"device": "cpu", "platform": "\u202egnp.exe"},
    "cost": {"parameters": "many"},
    "dataset": {"label": "x<img src=y>", "data_hash": "0" * 64},
}


@pytest.mark.parametrize("field", _FIELDS)
def test_a_field_that_no_page_should_show_ends_it(
    run: Path, tmp_path: Path, finder: Finder, field: str
) -> None:
    edit(run, {field: _FIELDS[field]})
    checks = list(verify_bundle(zipped(run, tmp_path / "a.zip"), finder))
    assert [c.name for c in checks] == ["archive", "fields"]
    assert checks[-1].problem and checks[-1].problem.isprintable()


def test_a_sample_with_a_tag_in_its_name_ends_it(run: Path, tmp_path: Path, finder: Finder) -> None:
    def change(arrays: dict[str, Any]) -> None:
        for key in [k for k in arrays if k.endswith("names")]:
            names = arrays[key].astype("U40")
            names[0] = "<svg onload=alert(1)>.jpg"
            arrays[key] = names

    rewrite(run, "features.npz", change)
    recount(run)
    name, problem = _first_problem(zipped(run, tmp_path / "a.zip"), finder)
    assert name == "fields" and "a sample is called" in problem


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_descriptors_that_are_no_numbers_are_named(
    run: Path, tmp_path: Path, finder: Finder, value: float
) -> None:
    def change(arrays: dict[str, Any]) -> None:
        arrays[next(k for k in arrays if k.endswith("features"))][0, 0] = value

    rewrite(run, "features.npz", change)
    assert _first_problem(zipped(run, tmp_path / "a.zip"), finder)[0] == "rescoring"
