"""Where records are kept to be found again: SQLite, through SQLAlchemy Core."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from harness.errors import StoreError, UnknownNameError
from harness.files import no_space_named
from harness.record import METRICS, RunRecord

SCHEMA_VERSION = 1
STORE_NAME = "store.db"
# How long a writer waits for another; a record is written in milliseconds.
_WAIT_SECONDS = 20

_meta = MetaData()
_about = Table("about", _meta, Column("schema_version", Integer, primary_key=True))
_runs = Table(
    "runs",
    _meta,
    Column("run_id", String(16), primary_key=True),
    Column("created", String(32), nullable=False),
    Column("method", String(64), nullable=False),
    Column("dataset", String(128), nullable=False),
    Column("data_hash", String(64), nullable=False),
    Column("protocol", String(64), nullable=False),
    Column("protocol_hash", String(64), nullable=False),
    Column("recipe", String(64), nullable=False),
    Column("recipe_hash", String(64), nullable=False),
    Column("seed", Integer, nullable=False),
    *(Column(name, Float, nullable=False) for name in METRICS),
    Column("path", Text, nullable=False),
    Column("record", Text, nullable=False),
)


class Stored(NamedTuple):
    """A record and where its file and evidence were when it was added."""

    record: RunRecord
    path: Path


class Store:
    """Records by run id. The record files are the truth; this finds them quickly.

    Args:
        path: The SQLite file; made with its folder when it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._named():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._engine = _engine(path)
            with self._engine.begin() as connection:
                for table in _meta.sorted_tables:
                    # Not create_all: it looks first and creates then, and two processes that
                    # open a new store at once both find nothing.
                    connection.execute(CreateTable(table, if_not_exists=True))
                _check_version(connection, path)

    def add(self, record: RunRecord, path: Path) -> bool:
        """Keep a record; False when it is there already. Records are never changed."""
        row = {
            "run_id": record.run_id,
            "created": record.created,
            "method": record.method,
            "dataset": record.dataset_label,
            "data_hash": record.data_hash,
            "protocol": record.protocol_name,
            "protocol_hash": record.protocol_hash,
            "recipe": str(record.recipe.get("name", "")),
            "recipe_hash": record.recipe_hash,
            "seed": record.seed,
            **{name: record.metrics[name] for name in METRICS},
            "path": str(path.resolve()),
            "record": record.model_dump_json(),
        }
        with self._named():
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert(_runs).values(row))
            except IntegrityError:
                return False
        return True

    def moved(self, run_id: str, path: Path) -> None:
        """Note that a record's file is now elsewhere."""
        with self._named(), self._engine.begin() as connection:
            where = update(_runs).where(_runs.c.run_id == run_id)
            connection.execute(where.values(path=str(path.resolve())))

    def all(self) -> list[Stored]:
        """Every record, oldest first."""
        query = select(_runs.c.run_id, _runs.c.record, _runs.c.path)
        query = query.order_by(_runs.c.created, _runs.c.run_id)
        with self._named(), self._engine.begin() as connection:
            rows = connection.execute(query).all()
        return [self._stored(r.run_id, r.record, r.path) for r in rows]

    def get(self, run_id: str) -> Stored:
        """The record whose id begins with `run_id`.

        Raises:
            UnknownNameError: None does, or more than one.
        """
        query = select(_runs.c.run_id, _runs.c.record, _runs.c.path)
        with self._named(), self._engine.begin() as connection:
            rows = connection.execute(query).all()
        fits = [r for r in rows if r.run_id.startswith(run_id)]
        if len(fits) != 1:
            raise UnknownNameError("run", run_id, [r.run_id for r in fits or rows])
        return self._stored(fits[0].run_id, fits[0].record, fits[0].path)

    def _stored(self, run_id: str, record: str, path: str) -> Stored:
        try:
            return Stored(RunRecord.model_validate_json(record), Path(path))
        except ValidationError as error:
            raise StoreError(
                seen=f"the store {self.path} holds a damaged record of run {run_id}: "
                f"{str(error).splitlines()[0]}",
                expected="records as the harness writes them",
                do=f"restore the store from a copy; the run's own file is {path}",
            ) from error

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Give the database's errors the file's name and a next step."""
        with no_space_named(self.path):
            try:
                yield
            except (DatabaseError, OSError) as error:
                if "full" in str(error):
                    raise OSError(28, "No space left on device") from error
                raise StoreError(
                    seen=f"the store {self.path} does not answer: {str(error).splitlines()[0]}",
                    expected="a SQLite file that this user may write",
                    do="check the file and its rights; the records themselves, under "
                    f"{self.path.parent}, are not affected",
                ) from error


def open_store(out: Path) -> Store:
    """The store of an --out folder.

    Raises:
        StoreError: There is no such folder: a typo must not make an empty store.
    """
    if not out.is_dir():
        raise StoreError(
            seen=f"there is no folder {out}",
            expected="the --out folder of harness run",
            do="harness run --method ieee makes it; or name the right one with --out",
        )
    return Store(out / STORE_NAME)


def _engine(path: Path) -> Engine:
    # No pool: an idle connection would keep the file open, and opening one takes no time. SQLite's
    # own journal, not its write-ahead log: that one cannot be shared over a network disk, and
    # turning it on fails when several processes open a new store at once.
    options = {"timeout": _WAIT_SECONDS}
    return create_engine(f"sqlite:///{path}", connect_args=options, poolclass=NullPool)


def _check_version(connection: Connection, path: Path) -> None:
    found = connection.execute(select(_about.c.schema_version)).scalar()
    if found is None:
        connection.execute(insert(_about).prefix_with("OR IGNORE").values(schema_version=1))
    elif found != SCHEMA_VERSION:
        raise StoreError(
            seen=f"the store {path} has schema {found}",
            expected=f"schema {SCHEMA_VERSION}",
            do="use the version of the harness that wrote it, or a new store: --out FOLDER",
        )
