"""A SQLite file or a PostgreSQL server: connections, transactions, and errors in words."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from harness.base.errors import HarnessError, StoreError
from harness.base.files import disk_full, no_space_named
from harness.base.refused import knows_locks

PATIENCE = 60.0
"""Seconds that one waits for another who holds the file; a record is written in milliseconds."""
_CONNECT_SECONDS = 10
# Any number that is ours: the lock that makers and migrators of a store hold on a server.
_SERVER_LOCK = 4_617_235_902


class Database:
    """Where a store's tables are, and how they are read and written.

    Args:
        place: The path of a SQLite file, or a URL `postgresql://...` or `sqlite:///...`.
        patience: Seconds to wait for another who holds the file.

    Raises:
        StoreError: Not such a URL, or the driver of PostgreSQL is not installed.
    """

    def __init__(self, place: Path | str, patience: float = PATIENCE) -> None:
        self.file: Path | None = None
        self._patience = patience
        self._url = None if isinstance(place, Path) else _parsed(place)
        if isinstance(place, Path):
            self.file = place
        elif self._url is not None and self._url.drivername == "sqlite":
            self.file = Path(self._url.database or "")
        # No pool: an idle connection would keep a file open or a server's slot taken, must not
        # cross a fork, and a new one takes no time beside what is done with it.
        if self.file is not None:
            self._engine = create_engine("sqlite://", creator=self._connect, poolclass=NullPool)
            event.listen(self._engine, "begin", _begin_sqlite)
        else:
            self._engine = _server_engine(self._url)
        self._seen = False
        self._locks: bool | None = None

    def __str__(self) -> str:
        """The place as a person may see it: never with the password."""
        if self.file is not None:
            return str(self.file)
        if self._url is None:
            return ""
        return self._url.set(drivername="postgresql").render_as_string(hide_password=True)

    @property
    def is_made(self) -> bool:
        """Whether the file is there; a server is assumed to be."""
        made = self.file is None or self.file.exists()
        self._seen = self._seen or made
        return made

    def readable(self) -> bool:
        """Whether there is something to read; not before the first record is written.

        Raises:
            StoreError: The file was there before and is gone.
        """
        if self.is_made:
            return True
        if self._seen:
            raise StoreError(
                seen=f"the store {self} is gone",
                expected="the file that was there a moment ago",
                do="put it back, or make it again from the records: harness store rebuild",
            )
        return False

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that sees one state of the store."""
        with self.named(), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self, alone: bool = False) -> Iterator[Connection]:
        """One transaction, whole or not at all; on SQLite, one writer at a time.

        Args:
            alone: On a server too, with no other such writer: for making and migrating tables.
        """
        with self.named():
            if self.file is not None:
                self.file.parent.mkdir(parents=True, exist_ok=True)
            engine = self._engine.execution_options(harness_writes=True)
            with engine.begin() as connection:
                if alone and self.file is None:
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SERVER_LOCK})")
                yield connection
            self._seen = True

    @contextlib.contextmanager
    def named(self) -> Iterator[None]:
        """Give the database's errors the store's place, without its password, and a next step."""
        try:
            with no_space_named(self.file or Path()):
                yield
        except IntegrityError:
            # A key that is there already: the caller knows which.
            raise
        except (SQLAlchemyError, sqlite3.Error) as error:
            named = self._error(error)
            # What a server's driver says may hold the words of the URL.
            raise named from (error if self.file is not None else None)

    def _error(self, error: Exception) -> HarnessError:
        cause = error.orig if isinstance(error, DBAPIError) else error
        text = self._hidden(str(cause).strip().splitlines()[0] if str(cause).strip() else "")
        if self.file is None:
            return _server_error(str(self), text)
        return _file_error(self.file, text, self._patience)

    def _hidden(self, text: str) -> str:
        password = self._url.password if self._url is not None else None
        for word in (str(password), quote(str(password), safe="")) if password else ():
            text = text.replace(word, "***")
        return text

    def _connect(self) -> sqlite3.Connection:
        # rw, unless this is to make it: plain connecting makes an empty file of a typo.
        assert self.file is not None
        mode = "rw" if self.file.exists() else "rwc"
        if self._locks is None:
            self._locks = knows_locks(self.file.parent)
        # SQLite takes a lock that cannot be had for one that somebody has.
        mode += "" if self._locks else "&nolock=1"
        address = f"file:{quote(os.fsencode(self.file.absolute()))}?mode={mode}"
        # SQLite's own journal, not its write-ahead log: that one cannot be shared over a network
        # disk, and turning it on fails when several processes open a new store at once.
        return sqlite3.connect(address, uri=True, timeout=self._patience, isolation_level=None)


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its turn at once: two that read first and write then would block each other.
    writes = connection.get_execution_options().get("harness_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _parsed(text: str) -> URL:
    expected = "postgresql://USER@HOST/DATABASE or sqlite:///FILE"
    do = "mend --store or $HARNESS_STORE; a password is best kept in ~/.pgpass"
    try:
        url = make_url(text)
        kind = url.drivername.partition("+")[0]
    except (ArgumentError, ValueError):
        # Not shown: whatever it is, it may hold a password.
        raise StoreError("the store's URL does not parse", expected, do) from None
    if kind in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if kind == "sqlite" and url.database:
        return url.set(drivername="sqlite")
    raise StoreError(f"a store cannot be at a URL that begins with {kind}:", expected, do)


def _server_engine(url: URL | None) -> Engine:
    assert url is not None
    options: dict[str, Any] = {}
    if "connect_timeout" not in url.query:
        options["connect_timeout"] = _CONNECT_SECONDS
    try:
        return create_engine(url, connect_args=options, poolclass=NullPool)
    except ModuleNotFoundError as error:
        raise StoreError(
            seen=f"a store on PostgreSQL was asked for, and {error.name} is not installed",
            expected="the driver psycopg",
            do="pip install -e '.[postgres]', in the folder of the harness",
        ) from error


def _server_error(place: str, text: str) -> StoreError:
    return StoreError(
        seen=f"the store {place} does not answer: {text}",
        expected="a PostgreSQL server and a database that this user may write",
        do="check the address, the user and the password; try: psql URL. The record files of the "
        "runs are not affected",
    )


def _file_error(file: Path, text: str, patience: float) -> HarnessError:
    if "disk is full" in text:
        return disk_full(file)
    safe = f"the records themselves, under {file.parent}, are not affected"
    if "locked" in text or "busy" in text:
        return StoreError(
            seen=f"the store {file} is locked: another process held it for {patience:g} s",
            expected="writers that are done in milliseconds",
            do=f"find who holds it, such as an open sqlite3 shell; {safe}",
        )
    if "not a database" in text or "malformed" in text:
        return StoreError(
            seen=f"the store {file} is not a database, or a damaged one: {text}",
            expected="a SQLite file as the harness writes it",
            do="make it again from the record files: harness store rebuild --out "
            f"{file.parent} (the old file is kept); {safe}",
        )
    return StoreError(
        seen=f"the store {file} does not answer: {text}",
        expected="a SQLite file that this user may read and write",
        do=f"check the file and its rights; {safe}",
    )
