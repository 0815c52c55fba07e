"""Making a store's tables, and bringing an older store to this schema without losing anything."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import Connection, insert, inspect, select, text, update

from harness.base.errors import StoreError
from harness.base.files import replacing
from harness.base.progress import say
from harness.evidence.record import RunRecord
from harness.store.database import Database
from harness.store.places import Places
from harness.store.rows import columns_of, settings_from, summary_of
from harness.store.tables import ABOUT, META, RECORDS, RUNS, SCHEMA_VERSION


def make_ready(database: Database, places: Places) -> None:
    """Make the tables, or migrate them; nothing is done to a store of this schema.

    One of schema 2 that nobody may write here is read as it is, see `harness.store.queries`.

    Raises:
        StoreError: The store is of a newer harness, or does not answer.
    """
    if database.is_made:
        with database.reading() as connection:
            found = _checked(connection, database)
            if found == SCHEMA_VERSION or (found == 2 and not _writable(database)):
                return
    with database.writing(alone=True) as connection:
        # Another process may have been first.
        found = _checked(connection, database)
        if found is None:
            create(connection)
        elif found != SCHEMA_VERSION:
            kept = _kept_beside(connection, database, found)
            say(f"store: migrating {database} to schema {SCHEMA_VERSION}; {kept} is a copy")
            if found == 1:
                _from_schema_1(connection, places)
            else:
                _from_schema_2(connection, places)


def _writable(database: Database) -> bool:
    file = database.file
    return file is None or (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))


def _kept_beside(connection: Connection, database: Database, schema: int) -> str:
    """Copy what a migration changes, and name the copy."""
    if database.file is not None:
        return str(back_up(database.file, f"schema-{schema}"))
    # On a server only schema 2 ever was, and a record never changes: the index is all.
    name = f"runs_schema_{schema}"
    connection.execute(text(f"CREATE TABLE {name} AS TABLE runs"))
    return f"its table {name}"


def create(connection: Connection) -> None:
    """The empty tables and the one row about the store."""
    META.create_all(connection)
    about = {"schema_version": SCHEMA_VERSION, "store_id": uuid.uuid4().hex, "revision": 0}
    connection.execute(insert(ABOUT).values(about))


def changed(connection: Connection) -> None:
    """Note within a transaction that it changes the store."""
    connection.execute(update(ABOUT).values(revision=ABOUT.c.revision + 1))


def free_name(path: Path) -> Path:
    """The path itself, or the first one with a number behind it that is not taken."""
    number, place = 1, path
    while place.exists():
        number, place = number + 1, path.with_name(f"{path.name}.{number}")
    return place


def _checked(connection: Connection, database: Database) -> int | None:
    """The schema that is there, or None for an empty place."""
    if not inspect(connection).has_table("about"):
        return None
    found = connection.execute(text("SELECT schema_version FROM about")).scalar()
    if found is None or found in (1, 2, SCHEMA_VERSION):
        return found
    raise StoreError(
        seen=f"the store {database} has schema {found}",
        expected=f"schema {SCHEMA_VERSION} or older: a newer harness wrote it",
        do="use the harness that wrote it, or a new store: --out FOLDER",
    )


def back_up(file: Path, why: str) -> Path:
    """Copy a SQLite store, whole, to a new name beside it."""
    place = free_name(file.with_name(f"{file.name}.{why}"))
    with (
        replacing(place) as temporary,
        contextlib.closing(sqlite3.connect(file)) as source,
        contextlib.closing(sqlite3.connect(temporary)) as copy,
    ):
        source.backup(copy)
    return place


def _from_schema_2(connection: Connection, places: Places) -> None:
    """Schema 2 kept every path whole, and no recipe in the index; records and checks stay."""
    # Nothing is refused here: `harness store check` names a record that is damaged.
    connection.execute(text("ALTER TABLE runs ADD COLUMN settings TEXT NOT NULL DEFAULT '{}'"))
    find = places.finder()
    for run_id, path in connection.execute(select(RUNS.c.run_id, RUNS.c.path)).all():
        # One after the other: a record may be a megabyte.
        record = select(RECORDS.c.record).where(RECORDS.c.run_id == run_id)
        now = {
            "path": places.text_of(find(run_id, path)),
            "settings": settings_from(connection.execute(record).scalar_one()),
        }
        connection.execute(update(RUNS).where(RUNS.c.run_id == run_id).values(now))
    connection.execute(update(ABOUT).values(schema_version=SCHEMA_VERSION))
    changed(connection)


def _from_schema_1(connection: Connection, places: Places) -> None:
    """Schema 1 had one table `runs` with the record beside a few of its fields."""
    rows = connection.execute(text("SELECT run_id, path, record FROM runs")).all()
    for name in ("runs", "about"):
        connection.execute(text(f"DROP TABLE {name}"))
    create(connection)
    find = places.finder()
    for run_id, path, record in rows:
        place = find(run_id, path)
        try:
            summary = summary_of(RunRecord.model_validate_json(record), place)
        except (ValidationError, KeyError) as error:
            say(f"store: the record of run {run_id} is damaged and left out: {_first_line(error)}")
            continue
        connection.execute(insert(RECORDS).values(run_id=run_id, record=record))
        connection.execute(insert(RUNS).values(columns_of(summary, places.text_of(place))))
    changed(connection)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
