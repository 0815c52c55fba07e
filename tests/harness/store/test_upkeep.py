"""`harness store`: what comes in, what a rebuild makes of it, and what is wrong is found."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import StoreError
from harness.evidence.record import evidence_of, read_record
from harness.evidence.trust import Trust
from harness.store import Store
from harness.store.core import insert_runs
from tests.conftest import SMALL, Harness
from tests.harness.records import make
from tests.harness.store.conftest import finished
from tests.postgres import Server


def kinds(answer: Any) -> list[tuple[str, str]]:
    return sorted((p["where"], p["kind"]) for p in answer.json["problems"])


def test_a_whole_store(harness: Harness, runs: tuple[Path, Store]) -> None:
    out, _ = runs
    answer = harness("store", "check", "--out", out, "--json")
    assert answer.code == 0 and answer.json["ok"] and answer.json["records"] == 3
    assert "s3cret" not in answer.out
    text = harness("store", "check", "--out", out)
    assert text.code == 0 and "3 records; all are whole" in text.out


def test_check_finds_what_is_wrong(harness: Harness, runs: tuple[Path, Store]) -> None:
    out, store = runs
    ids = [s.run_id for s in store.summaries()]
    (out / "abc" / "0" / "record.json").unlink()
    (out / "abc" / "1" / "features.npz").unlink()
    edited = out / "abc" / "2" / "record.json"
    edited.write_text(edited.read_text().replace('"seed": 2', '"seed": 9'))
    answer = harness("store", "check", "--out", out, "--json")
    assert answer.code == 2 and not answer.json["ok"]
    assert kinds(answer) == sorted(
        [(ids[0], "file gone"), (ids[1], "evidence features"), (ids[2], "file differs")]
    )


def test_weights_may_be_elsewhere(harness: Harness, tmp_path: Path) -> None:
    """A run may be sent without them, and `harness verify` holds it then."""
    out = tmp_path / "runs"
    folder = out / "abc" / "0"
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(b"weights")
    (folder / "ranks.npz").write_bytes(b"ranks")
    names = {"weights": "weights.safetensors", "ranks": "ranks.npz"}
    evidence = {key: evidence_of(folder / name).model_dump() for key, name in names.items()}
    record = finished(out, 1, evidence=evidence)
    for name in names.values():
        (folder / name).rename(out / "abc" / "1" / name)
    Store(out / "store.db").add(record, out / "abc" / "1" / "record.json")
    assert harness("store", "check", "--out", out, "--json").json["without_weights"] == []
    (out / "abc" / "1" / "weights.safetensors").unlink()
    answer = harness("store", "check", "--out", out, "--json")
    assert answer.code == 0 and answer.json["without_weights"] == [record.run_id]
    said = harness("store", "check", "--out", out).err
    assert f"1 of 1 are here without their weights, such as {record.run_id}" in said
    (out / "abc" / "1" / "ranks.npz").unlink()
    assert kinds(harness("store", "check", "--out", out, "--json")) == [
        (record.run_id, "evidence ranks")
    ]


def test_check_finds_a_store_that_was_written_by_hand(
    harness: Harness, runs: tuple[Path, Store]
) -> None:
    out, store = runs
    ids = [s.run_id for s in store.summaries()]
    forged = json.loads(store.get(ids[0]).record.model_dump_json())
    forged["metrics"]["mAP"] = 99.0
    with store.rewriting() as connection:
        connection.exec_driver_sql(
            f"UPDATE records SET record = '{json.dumps(forged)}' WHERE run_id = '{ids[0]}'"
        )
        connection.exec_driver_sql(f"UPDATE runs SET seed = 77 WHERE run_id = '{ids[1]}'")
        connection.exec_driver_sql(f"DELETE FROM runs WHERE run_id = '{ids[2]}'")
    answer = harness("store", "check", "--out", out, "--json")
    assert kinds(answer) == sorted([(ids[0], "id"), (ids[1], "index"), (ids[2], "index")])
    # And a rebuild mends all of it from the files.
    rebuilt = harness("store", "rebuild", "--out", out, "--json")
    assert rebuilt.code == 2 and rebuilt.json["records"] == 3
    assert [p["kind"] for p in rebuilt.json["refused"]] == ["id"]
    assert harness("store", "check", "--out", out).code == 0
    assert [s.seed for s in store.summaries()] == [0, 1, 2]


def test_what_was_made_again_is_no_run(
    harness: Harness, runs: tuple[Path, Store], tmp_path: Path
) -> None:
    out, store = runs
    of = store.summaries()[0].run_id
    # One from before such records said it, one that was made --into a folder of its own, moved.
    finished(out / "reproduced" / f"{of}.2", 0, created="2027-01-01T00:00:00+00:00")
    moved = {"device": "cpu", "reproduces": of}
    finished(out / "elsewhere", 0, environment=moved, created="2027-01-02T00:00:00+00:00")
    found = harness("store", "rebuild", "--out", out, "--json").json
    assert found["records"] == 3 and {one["run_id"] for one in found["reproductions"]} == {of}
    assert [s.seed for s in store.summaries()] == [0, 1, 2]
    imported = harness("store", "import", out / "elsewhere", "--out", out, "--json").json
    assert not imported["added"] and [r["run_id"] for r in imported["reproductions"]] == [of]
    # A store that took them in before lets go of them.
    with store.rewriting() as connection:
        again = out / "elsewhere" / "abc" / "0" / "record.json"
        insert_runs(connection, [(read_record(again), again)], store.places)
    assert len(store.summaries()) == 4
    text = harness("store", "rebuild", "--out", out).out
    assert len(store.summaries()) == 3 and "evidence of their runs" in text and str(of) in text


def test_import_refuses_what_was_edited_and_takes_the_rest(
    harness: Harness, tmp_path: Path
) -> None:
    finished(tmp_path / "a", 0)
    finished(tmp_path / "a", 1)
    file = tmp_path / "a" / "abc" / "1" / "record.json"
    file.write_text(file.read_text().replace("10.0", "99.0").replace("11.0", "99.0"))
    (tmp_path / "a" / "abc" / "record.json").write_text("{")
    (tmp_path / "runs").mkdir()
    answer = harness("store", "import", tmp_path / "a", "--out", tmp_path / "runs", "--json")
    assert answer.code == 2 and len(answer.json["added"]) == 1
    assert {p["kind"] for p in answer.json["refused"]} == {"id", "not a record"}
    missing = harness("store", "import", tmp_path / "no", "--out", tmp_path / "runs", "--json")
    assert missing.code == 2 and "there is nothing at" in missing.error["seen"]


def test_import_notes_where_moved_files_are(harness: Harness, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    record = finished(out, 0)
    assert harness("store", "import", out, "--out", out).code == 0
    (out / "abc").rename(out / "moved")
    assert harness("store", "check", "--out", out).code == 2
    assert harness("store", "import", out, "--out", out).code == 0
    assert harness("store", "check", "--out", out).code == 0
    assert Store(out / "store.db").get(record.run_id).path.parent.parent.name == "moved"


def test_rebuild_forgets_trust_and_says_so(harness: Harness, runs: tuple[Path, Store]) -> None:
    out, store = runs
    run_id = store.summaries()[0].run_id
    store.set_trust(run_id, Trust.RESCORED, {})
    elsewhere = make(9)
    store.add(elsewhere, Path("/elsewhere/record.json"))
    answer = harness("store", "rebuild", out, "--out", out, "--json")
    assert answer.code == 0
    assert (answer.json["records"], answer.json["from_files"]) == (4, 3)
    assert answer.json["lowered"] == 1 and "only reported now" in answer.err
    assert store.get(run_id).trust is Trust.REPORTED
    # What no file has is kept.
    assert store.get(elsewhere.run_id).record == elsewhere


def test_rebuild_of_a_file_that_is_no_database(harness: Harness, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    record = finished(out, 0)
    (out / "store.db").write_text("not a database " * 100)
    answer = harness("list", "runs", "--out", out, "--json")
    assert answer.code == 2 and "harness store rebuild" in answer.error["do"]
    answer = harness("store", "rebuild", "--out", out, "--json")
    assert answer.code == 0 and answer.json["records"] == 1
    assert Path(answer.json["backup"]).read_text().startswith("not a database")
    assert Store(out / "store.db").get(record.run_id).record == record


def test_rebuild_of_a_deleted_store(harness: Harness, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    finished(out, 0)
    answer = harness("store", "rebuild", "--out", out)
    assert answer.code == 0 and "holds 1 records, 1 of them from files" in answer.out


def test_a_store_on_a_server_by_option(
    harness: Harness, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HARNESS_STORE", raising=False)
    url, out = server.new(), tmp_path / "runs"
    record = finished(out, 0)
    assert harness("store", "import", out, "--store", url).code == 0
    assert not (out / "store.db").exists()
    listed = harness("list", "runs", "--store", url, "--out", out, "--json")
    assert [r["run"] for r in listed.json["runs"]] == [record.run_id]
    # The option is of one command only.
    assert harness("list", "runs", "--out", out, "--json").json["runs"] == []
    wrong = harness("list", "runs", "--store", url.replace("keeper:", "keeper:x"), "--json")
    assert wrong.code == 2 and "password authentication failed" in wrong.error["seen"]
    assert "s3cret" not in wrong.out + wrong.err


def test_a_backup_is_what_was_there(harness: Harness, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    finished(out, 0)
    harness("store", "import", out, "--out", out)
    for _ in range(2):
        assert harness("store", "rebuild", "--out", out).code == 0
    copies = sorted(out.glob("store.db.before-rebuild*"))
    assert len(copies) == 2
    with sqlite3.connect(copies[0]) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_a_run_kept_on_a_server_tells_no_password(
    harness: Harness, server: Server, tiny: Path, tmp_path: Path
) -> None:
    url, out = server.new(), tmp_path / "runs"
    words = ("run", "--method", "tiny", "--plugin", tiny, *SMALL, "--out", out, "--store", url)
    answer = harness(*words)
    assert answer.code == 0, answer.err
    assert f"--store 'postgresql://keeper:***@127.0.0.1:{server.port}/" in answer.out
    written = b"".join(p.read_bytes() for p in out.rglob("*") if p.is_file())
    assert b"s3cret" not in written and "s3cret" not in answer.out + answer.err
    assert not (out / "store.db").exists()
    assert [s.method for s in Store(url).summaries()] == ["tiny"]


@pytest.mark.parametrize(
    "change",
    [
        {"method": "a\0b"},
        {"method": "<script>alert(1)</script>"},
        {"created": "yesterday"},
        {"environment": {"device": "\x1b[31m"}},
        {"cost": {"parameters": "many"}},
    ],
)
def test_import_refuses_what_no_run_of_ours_writes(
    harness: Harness, tmp_path: Path, change: dict[str, Any]
) -> None:
    finished(tmp_path / "runs", 0, **change)
    answer = harness("store", "import", tmp_path / "runs", "--out", tmp_path / "runs", "--json")
    assert answer.code == 2 and answer.json["added"] == []
    assert [p["kind"] for p in answer.json["refused"]] == ["fields"]


def test_a_record_without_a_metric(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="has no mAP and no mINP"):
        Store(tmp_path / "store.db").add(
            make(metrics=dict.fromkeys(("R1", "R5", "R10"), 1.0)), tmp_path
        )
