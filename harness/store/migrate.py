"""Making a store's tables, and bringing an older store to this schema without losing anything."""

from __future__ import annotations

import contextlib
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
from harness.store.rows import columns_of, path_of, summary_of
from harness.store.tables import ABOUT, META, RECORDS, RUNS, SCHEMA_VERSION, TRUST

_OLDER = {
    1: ("SELECT run_id, path, record FROM runs", ("runs", "about")),
    2: (
        "SELECT runs.run_id, path, record FROM runs JOIN records ON records.run_id = runs.run_id",
        ("trust", "runs", "records", "about"),
    ),
}
"""By schema: what reads each run's id, path and record, and the tables, those that refer first."""


def make_ready(database: Database) -> None:
    """Make the tables, or migrate them; nothing is done to a store of this schema.

    Raises:
        StoreError: The store is of a newer harness, or does not answer.
    """
    if database.is_made:
        with database.reading() as connection:
            if _checked(connection, database) == SCHEMA_VERSION:
                return
    with database.writing(alone=True) as connection:
        # Another process may have been first.
        found = _checked(connection, database)
        if found is None:
            create(connection)
        elif found != SCHEMA_VERSION:
            if database.file is not None:
                backup = back_up(database.file, f"schema-{found}")
                say(f"store: migrating {database} to schema {SCHEMA_VERSION}; {backup} is a copy")
            _from_older(connection, found)


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
    if found is None or found in (*_OLDER, SCHEMA_VERSION):
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


def _from_older(connection: Connection, schema: int) -> None:
    """Make every table anew from the records, which no schema has changed, and from their paths.

    Schema 1 had one table `runs` with the record beside a few of its fields, and nothing of checks.
    """
    query, tables = _OLDER[schema]
    rows = connection.execute(text(query)).all()
    checked = [] if schema == 1 else connection.execute(select(TRUST)).mappings().all()
    for name in tables:
        connection.execute(text(f"DROP TABLE {name}"))
    create(connection)
    kept = set()
    for run_id, path, record in rows:
        try:
            summary = summary_of(RunRecord.model_validate_json(record), path_of(path))
        except (ValidationError, KeyError) as error:
            say(f"store: the record of run {run_id} is damaged and left out: {_first_line(error)}")
            continue
        connection.execute(insert(RECORDS).values(run_id=run_id, record=record))
        connection.execute(insert(RUNS).values(columns_of(summary)))
        kept.add(run_id)
    for row in checked:
        if row["run_id"] in kept:
            connection.execute(insert(TRUST).values(dict(row)))
    changed(connection)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
