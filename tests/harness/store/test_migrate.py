"""A store of the first schema is brought to this one, and a copy of it stays."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from harness.evidence.record import METRICS, RunRecord
from harness.evidence.trust import Trust
from harness.store import SCHEMA_VERSION, Store
from harness.store.upkeep import check_store
from tests.harness.records import make
from tests.harness.store.writers import all_at_once, count


def write_schema_1(path: Path, records: list[RunRecord]) -> None:
    """A store as the first version of the harness wrote it."""
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE about (schema_version INTEGER NOT NULL, PRIMARY KEY (schema_version))"
        )
        numbers = ", ".join(f'"{m}" FLOAT NOT NULL' for m in METRICS)
        connection.execute(
            "CREATE TABLE runs (run_id VARCHAR(16) NOT NULL, created VARCHAR(32) NOT NULL, "
            "method VARCHAR(64) NOT NULL, dataset VARCHAR(128) NOT NULL, data_hash VARCHAR(64) "
            "NOT NULL, protocol VARCHAR(64) NOT NULL, protocol_hash VARCHAR(64) NOT NULL, recipe "
            "VARCHAR(64) NOT NULL, recipe_hash VARCHAR(64) NOT NULL, seed INTEGER NOT NULL, "
            f"{numbers}, path TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (run_id))"
        )
        connection.execute("INSERT INTO about VALUES (1)")
        for r in records:
            row = [r.run_id, r.created, r.method, r.dataset_label, r.data_hash, r.protocol_name]
            row += [r.protocol_hash, "smoke", r.recipe_hash, str(r.seed), *map(str, r.metrics)]
            row += [f"/runs/{r.seed}/record.json", r.model_dump_json()]
            connection.execute(f"INSERT INTO runs VALUES ({', '.join('?' * len(row))})", row)
    connection.close()


def test_every_record_comes_along(tmp_path: Path) -> None:
    path, records = tmp_path / "store.db", [make(seed) for seed in range(3)]
    write_schema_1(path, records)
    before = sqlite3.connect(path).execute("SELECT * FROM runs").fetchall()
    store = Store(path)
    assert [s.record for s in store.all()] == records
    assert store.summaries()[1].path == Path("/runs/1/record.json")
    store.set_trust(records[0].run_id, Trust.RESCORED, {})
    assert not store.add(records[0], path)
    (copy,) = tmp_path.glob("store.db.schema-1*")
    assert sqlite3.connect(copy).execute("SELECT * FROM runs").fetchall() == before
    # The second opening has nothing to do.
    assert len(Store(path).summaries()) == 3
    assert len(list(tmp_path.glob("store.db.*"))) == 1


def as_schema_2(path: Path) -> None:
    """A store of today as the second version of the harness would have written it."""
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE runs DROP COLUMN settings")
        connection.execute("UPDATE about SET schema_version = 2")
        # It kept every path whole.
        whole = f"UPDATE runs SET path = '{path.parent}/' || path WHERE path NOT LIKE '/%'"
        connection.execute(whole)
    connection.close()


def test_what_was_checked_comes_along_from_the_second_schema(tmp_path: Path) -> None:
    path, records = tmp_path / "store.db", [make(seed) for seed in range(3)]
    store = Store(path)
    for one in records:
        store.add(one, tmp_path / str(one.seed) / "record.json")
    store.set_trust(records[1].run_id, Trust.RESCORED, {"checks": 7})
    before = store.summaries()
    as_schema_2(path)
    migrated = Store(path)
    assert migrated.summaries() == before and before[0].settings == '{"name": "smoke"}'
    entry = migrated.trust_of(records[1].run_id)
    assert entry is not None and entry.checked == {"checks": 7}
    assert len(list(tmp_path.glob("store.db.schema-2*"))) == 1
    with sqlite3.connect(path) as connection:
        paths = connection.execute("SELECT path FROM runs ORDER BY path").fetchall()
    assert paths == [(f"{seed}/record.json",) for seed in range(3)]


def test_a_damaged_record_of_the_second_schema_stays_for_the_check(tmp_path: Path) -> None:
    path, records = tmp_path / "store.db", [make(seed) for seed in range(2)]
    store = Store(path)
    for one in records:
        store.add(one, tmp_path / str(one.seed) / "record.json")
    as_schema_2(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE records SET record = '{' WHERE run_id = ?", (records[0].run_id,))
    settings = {s.run_id: s.settings for s in Store(path).summaries()}
    assert settings == {records[0].run_id: "{}", records[1].run_id: '{"name": "smoke"}'}
    found = [p.where for p in check_store(Store(path)).problems if p.kind == "damaged"]
    assert found == [records[0].run_id]


def test_a_damaged_record_is_left_out_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, records = tmp_path / "store.db", [make(seed) for seed in range(3)]
    write_schema_1(path, records)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET record = '{}' WHERE seed = 1")
    assert [s.seed for s in Store(path).summaries()] == [0, 2]
    assert f"run {records[1].run_id} is damaged" in capsys.readouterr().err


def test_an_error_on_the_way_leaves_the_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.db"
    write_schema_1(path, [make()])

    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("harness.store.migrate.columns_of", fail)
    with pytest.raises(RuntimeError):
        Store(path)
    monkeypatch.undo()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT schema_version FROM about").fetchall() == [(1,)]
        assert connection.execute("SELECT count(*) FROM runs").fetchall() == [(1,)]
    assert len(Store(path).summaries()) == 1


def test_many_processes_migrate_it_once(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    write_schema_1(path, [make(seed) for seed in range(20)])
    assert all_at_once(count, [(path, 20)] * 8) == [0] * 8
    assert len(list(tmp_path.glob("store.db.schema-1*"))) == 1
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT schema_version FROM about").fetchall() == [
            (SCHEMA_VERSION,)
        ]
