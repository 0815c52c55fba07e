"""A folder of runs that is copied, moved or linked is read where it is; others say so."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from harness.base.errors import StoreError
from harness.evidence.record import RunRecord
from harness.evidence.trust import Trust
from harness.store import SCHEMA_VERSION, Store, open_store
from tests.conftest import Harness
from tests.harness.records import make
from tests.harness.store.conftest import finished
from tests.harness.store.test_migrate import as_schema_2
from tests.postgres import Server


def kept(out: Path, *seeds: int) -> list[RunRecord]:
    """Runs under `out` and their store."""
    records = [finished(out, seed) for seed in seeds]
    for record in records:
        Store(out / "store.db").add(record, out / "abc" / str(record.seed) / "record.json")
    return records


def place(out: Path, record: RunRecord) -> Path:
    return open_store(out).get(record.run_id).path


@pytest.mark.parametrize("older", [False, True])
def test_a_copy_finds_its_own_files(harness: Harness, tmp_path: Path, older: bool) -> None:
    runs, copy = tmp_path / "runs", tmp_path / "deep" / "copy"
    (record,) = kept(runs, 0)
    if older:
        as_schema_2(runs / "store.db")
    shutil.copytree(runs, copy)
    own = copy / "abc" / "0"
    assert place(copy, record) == own / "record.json"
    assert [s.path for s in Store(copy / "store.db").summaries()] == [own / "record.json"]
    assert place(runs, record) == runs / "abc" / "0" / "record.json"
    # What is forged or lost in the copy is seen there, and there only.
    (own / "features.npz").unlink()
    answer = harness("store", "check", "--out", copy, "--json")
    assert answer.code == 2 and answer.json["folder"] == str(copy)
    assert str(own / "features.npz") in answer.json["problems"][0]["seen"]
    assert harness("store", "check", "--out", runs, "--json").json["ok"]
    answer = harness("verify", record.run_id, "--out", copy, "--json")
    assert answer.code == 2 and answer.json["record"] == str(own / "record.json")
    assert f"reading {own}" in answer.err and "not under" not in answer.err


@pytest.mark.parametrize("older", [False, True])
def test_a_moved_folder_finds_its_own_files(tmp_path: Path, older: bool) -> None:
    runs, moved = tmp_path / "runs", tmp_path / "elsewhere"
    records = kept(runs, 0, 1)
    if older:
        as_schema_2(runs / "store.db")
    runs.rename(moved)
    assert [place(moved, r) for r in records] == [
        moved / "abc" / str(r.seed) / "record.json" for r in records
    ]
    copies = sorted(moved.glob("store.db.schema-2*"))
    assert len(copies) == older
    if older:
        with sqlite3.connect(copies[0]) as connection:
            (first, *_) = connection.execute("SELECT path FROM runs ORDER BY path").fetchone()
        assert first == str(runs / "abc" / "0" / "record.json")


def test_a_run_of_another_under_the_same_path_is_not_taken_for_it(tmp_path: Path) -> None:
    runs, copy = tmp_path / "runs", tmp_path / "copy"
    (record,) = kept(runs, 0)
    as_schema_2(runs / "store.db")
    finished(copy, 0, created="2027-01-01T00:00:00.000+00:00")
    shutil.copyfile(runs / "store.db", copy / "store.db")
    assert place(copy, record) == runs / "abc" / "0" / "record.json"


def test_what_lies_elsewhere_is_said(harness: Harness, tmp_path: Path) -> None:
    runs, other = tmp_path / "runs", tmp_path / "other"
    (record,) = kept(runs, 0)
    other.mkdir()
    assert harness("store", "import", runs, "--out", other).code == 0
    answer = harness("show", "run", record.run_id, "--out", other)
    assert (
        f"{runs / 'abc' / '0'}, which is not under the folder of its store, {other}" in answer.err
    )
    checked = harness("store", "check", "--out", other, "--json")
    assert checked.json["ok"] and checked.json["elsewhere"] == [record.run_id]
    assert "lie elsewhere" in checked.err
    # Once its files are here, a second import notes the nearer ones.
    shutil.copytree(runs / "abc", other / "abc")
    assert harness("store", "import", other, "--out", other).code == 0
    assert place(other, record) == other / "abc" / "0" / "record.json"
    assert harness("store", "check", "--out", other, "--json").json["elsewhere"] == []


def test_links_are_followed_as_they_stand(tmp_path: Path) -> None:
    scratch, runs, link = tmp_path / "scratch", tmp_path / "runs", tmp_path / "link"
    (runs / "abc").mkdir(parents=True)
    record = finished(scratch, 0)
    (runs / "abc" / "0").symlink_to(scratch / "abc" / "0")
    link.symlink_to(runs)
    path = link / "abc" / "0" / "record.json"
    store = Store(link / "store.db")
    store.add(record, path)
    assert store.at(path) == store.at(runs / "abc" / "0" / "record.json") == record.run_id
    runs.rename(tmp_path / "moved")
    assert place(tmp_path / "moved", record).samefile(scratch / "abc" / "0" / "record.json")


def test_a_store_of_before_on_a_disk_that_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, copy = tmp_path / "runs", tmp_path / "copy"
    (record,) = kept(runs, 0)
    said = Store(runs / "store.db").summaries()[0].settings
    as_schema_2(runs / "store.db")
    shutil.copytree(runs, copy)
    before = (copy / "store.db").read_bytes()
    monkeypatch.setattr("harness.store.migrate.os.access", lambda *_: False)
    assert place(copy, record) == copy / "abc" / "0" / "record.json"
    assert [s.settings for s in Store(copy / "store.db").summaries()] == [said]
    assert (copy / "store.db").read_bytes() == before


def test_a_server_of_before(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, runs, copy = server.new(), tmp_path / "runs", tmp_path / "copy"
    record, far = finished(runs, 0), make(1)
    store = Store(url)
    store.add(record, runs / "abc" / "0" / "record.json")
    store.add(far, Path("/far/abc/1/record.json"))
    store.set_trust(far.run_id, Trust.RESCORED, {"checks": 7})
    before = store.summaries()
    with store.rewriting() as connection:
        connection.exec_driver_sql("UPDATE about SET schema_version = 2")
        connection.exec_driver_sql("ALTER TABLE runs DROP COLUMN settings")
    shutil.copytree(runs, copy)
    assert open_store(copy, url).get(record.run_id).path == copy / "abc" / "0" / "record.json"
    assert "runs_schema_2" in capsys.readouterr().err
    assert open_store(runs, url).get(record.run_id).path == runs / "abc" / "0" / "record.json"
    assert Store(url).get(far.run_id).path == Path("/far/abc/1/record.json")
    assert open_store(copy, url).places.elsewhere(Path("/far/abc/1")) == str(copy)
    with Store(url).database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM runs_schema_2").scalar_one()
        schema = connection.exec_driver_sql("SELECT schema_version FROM about").scalar_one()
    assert (rows, schema) == (2, SCHEMA_VERSION)
    after = open_store(runs, url).summaries()
    assert after == before and after[0].settings == '{"name": "smoke"}'
    assert {s.trust for s in after} == {Trust.REPORTED, Trust.RESCORED}


def test_checks_are_shown_where_their_outcome_cannot_be_kept(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (record,) = kept(tmp_path, 0)

    def read_only(*_: object) -> None:
        raise StoreError("attempt to write a readonly database", "a file to write", "check it")

    monkeypatch.setattr(Store, "set_trust", read_only)
    answer = harness("verify", record.run_id, "--out", tmp_path, "--json")
    assert answer.json["checks"] and answer.json["trust"] is None
    assert "not kept: attempt to write a readonly database" in answer.err
