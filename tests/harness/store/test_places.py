"""What a person reads when a store cannot be opened; no password is ever in it."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import pytest

from harness.base.errors import DiskFullError, StoreError
from harness.store import Store, open_store
from harness.store.database import Database
from tests.harness.records import make
from tests.postgres import PASSWORD, Server

QUOTED = "s3cret%2Fof%3Atests%40home"


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_text("this is not a database, and long enough to be taken for one" * 20)
    with pytest.raises(StoreError, match=r"store\.db is not a database") as caught:
        Store(path)
    assert "harness store rebuild" in caught.value.do


def test_a_store_of_a_newer_schema(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store(path).add(make(), path)
    with sqlite3.connect(path) as connection:
        connection.execute("update about set schema_version = 7")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="has schema 7"):
        Store(path)
    assert path.read_bytes() == before


def test_a_store_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = Store(path)
    store.add(make(), path)
    path.unlink()
    with pytest.raises(StoreError, match="is gone"):
        store.summaries()
    assert not path.exists()
    # A run that ends then still keeps its record.
    assert store.add(make(1), path)
    assert [s.seed for s in store.summaries()] == [1]


def test_a_store_that_is_locked(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = Store(path, patience=0.1)
    store.add(make(), path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="is locked"):
        store.add(make(1), path)
    with pytest.raises(StoreError, match="is locked"):
        store.summaries()
    holder.close()
    assert store.add(make(1), path)


def test_a_full_disk(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    store.add(make(), tmp_path)
    with pytest.raises(DiskFullError), store.rewriting() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.exec_driver_sql("CREATE TABLE big AS SELECT zeroblob(9999999)")


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no folder"):
        open_store(tmp_path / "typo")


@pytest.mark.parametrize(
    "place",
    ["mysql://me:hunter2@host/x", "postgresql://me@h:hunter2/x", "sqlite://", "hunter2", "", ":"],
)
def test_a_url_that_is_none(place: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store(place)
    assert "hunter2" not in str(caught.value)
    assert "postgresql://USER@HOST/DATABASE" in caught.value.expected


def test_a_url_of_a_sqlite_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/with space.db"
    monkeypatch.setenv("HARNESS_STORE", url)
    open_store(tmp_path / "typo").add(make(), tmp_path)
    assert len(Store(tmp_path / "with space.db").summaries()) == 1
    assert len(open_store(tmp_path / "typo", url).summaries()) == 1


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        ("@127.0.0.1:", "@127.0.0.1:1", "does not answer"),
        ("keeper:", "keeper:wrong", "password authentication failed"),
        ("/test_", "/none_", "does not exist"),
        ("postgresql://", "postgres://", ""),
        (QUOTED + "@", QUOTED + "%00@", "does not answer"),
    ],
)
def test_a_server_that_does_not_answer(server: Server, old: str, new: str, seen: str) -> None:
    url = server.new().replace(old, new, 1)
    if not seen:
        assert Store(url).summaries() == []
        return
    with pytest.raises(StoreError, match=seen) as caught:
        Store(url)
    error = caught.value
    for text in (str(error), repr(error), str(error.as_dict()), str(Database(url))):
        assert PASSWORD not in text and QUOTED not in text and "s3cret" not in text
    assert error.__suppress_context__ or error.__context__ is None


def test_a_server_stopped_while_the_store_is_open(server: Server) -> None:
    import psycopg

    url = server.new()
    store = Store(url)
    store.add(make(), Path("x"))
    name = url.rpartition("/")[2]
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]
    with pytest.raises(StoreError, match="does not answer"):
        store.summaries()


def test_a_server_store_of_a_newer_schema(server: Server) -> None:
    url = server.new()
    store = Store(url)
    with store.rewriting() as connection:
        connection.exec_driver_sql("UPDATE about SET schema_version = 7")
    with pytest.raises(StoreError, match="has schema 7"):
        Store(url)


def test_the_driver_of_postgresql_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match="psycopg is not installed") as caught:
        Store("postgresql://me:hunter2@host/x")
    assert "pip install" in caught.value.do
