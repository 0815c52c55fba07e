"""The store: records by run id, an index of them, and what checks of them came to."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from harness.base.errors import StoreError, UnknownNameError
from harness.base.files import STORE_VARIABLE
from harness.evidence.record import METRICS, RunRecord, record_id
from harness.evidence.trust import Trust
from harness.store.database import PATIENCE, Database
from harness.store.migrate import changed, make_ready
from harness.store.places import Find, Places
from harness.store.queries import has_settings, summaries, whole_runs
from harness.store.rows import (
    PerQueryValues,
    Stored,
    Summary,
    TrustEntry,
    columns_of,
    per_query_from,
    settings_from,
    summary_from,
    summary_of,
    trust_from,
)
from harness.store.tables import ABOUT, RECORDS, RUNS, SWEEPS, TRUST

STORE_NAME = "store.db"
# Databases limit how many values one statement may name.
_AT_ONCE = 500


class Store:
    """Records by run id. The record files are the truth; this finds them quickly.

    A record never changes here: only its path may, and what a check of it came to. Reading a
    store that is not there gives nothing and makes nothing; the first record makes it.

    Args:
        place: The SQLite file, or the URL of a database (see `Database`).
        patience: Seconds to wait for another who holds the file.
        out: The folder of runs that the command was given, for a store that is not in it.

    Raises:
        StoreError: The place cannot be opened, or a newer harness wrote it.
    """

    def __init__(
        self, place: Path | str, patience: float = PATIENCE, out: Path | None = None
    ) -> None:
        self.database = Database(place, patience)
        self.places = Places(self.database.file, out)
        self._ready = False
        # A server has no file whose absence says that there is nothing yet.
        if self.database.is_made:
            self._make_ready()

    def add(self, record: RunRecord, path: Path) -> bool:
        """Keep a record; False when it is there already.

        The file of a record that is known takes the place of one that is gone, or that lies
        elsewhere than the store while this one does not.

        Raises:
            StoreError: Its id is not the hash of its contents, or is that of another record here;
                or it lacks a metric.
        """
        lacking = [name for name in METRICS if name not in record.metrics]
        if lacking:
            raise StoreError(
                seen=f"the record {record.run_id} ({path}) has no {' and no '.join(lacking)}",
                expected=f"all of {', '.join(METRICS)}",
                do="write it with the harness: harness evaluate scores descriptors of any program",
            )
        if record.run_id != record_id(record):
            raise StoreError(
                seen=f"the record {record.run_id} ({path}) was edited: its id is not the hash of "
                "its contents",
                expected="records as the harness wrote them",
                do="restore the file, or run again",
            )
        self._make_ready()
        try:
            with self.database.writing() as connection:
                insert_runs(connection, [(record, path)], self.places)
        except IntegrityError:
            self._require_same(record)
            self._note_better(record.run_id, path)
            return False
        return True

    def _note_better(self, run_id: str, path: Path) -> None:
        known = self.place_of(run_id)
        if not path.is_file() or path.resolve() == known.resolve():
            return
        away = self.places.elsewhere
        if not known.is_file() or (away(known) and not away(path)):
            self.moved(run_id, path)

    @contextlib.contextmanager
    def rewriting(self) -> Iterator[Connection]:
        """One transaction that may rewrite everything, on a store that is made if need be."""
        self._make_ready()
        with self.database.writing(alone=True) as connection:
            # First of all, so that on a server writers of single records wait.
            changed(connection)
            yield connection

    def _make_ready(self) -> None:
        # That the file is there is not enough: another process may not have made its tables yet.
        if not (self._ready and self.database.is_made):
            make_ready(self.database, self.places)
            self._ready = True

    def readable(self) -> bool:
        """Whether there is something to read, and if so that its tables are there."""
        if not self.database.readable():
            return False
        self._make_ready()
        return True

    def moved(self, run_id: str, path: Path) -> None:
        """Note that a record's file is now elsewhere."""
        if not self.readable():
            return
        with self.database.writing() as connection:
            where = update(RUNS).where(RUNS.c.run_id == run_id)
            connection.execute(where.values(path=self.places.text_of(path)))
            changed(connection)

    def place_of(self, run_id: str) -> Path:
        """Where the record of a run is that the store has, by its whole id."""
        (row,) = self._rows(select(RUNS.c.path).where(RUNS.c.run_id == run_id))
        return self.places.finder()(run_id, row["path"])

    def at(self, path: Path) -> str | None:
        """The id of the run whose record the store has at this very place, if any."""
        kept = select(RUNS.c.run_id).where(RUNS.c.path == self.places.text_of(path))
        rows, resolved = self._rows(kept), path.resolve()
        if rows:
            return str(rows[0]["run_id"])
        return next((s.run_id for s in self.summaries() if s.path == resolved), None)

    def touch(self) -> None:
        """Note that something beside a record changed, so that readers look again."""
        if self.readable():
            with self.database.writing() as connection:
                changed(connection)

    def all(self) -> list[Stored]:
        """Every record, oldest first. `summaries` is many times faster where it is enough."""
        find = self.places.finder()
        return [self._stored(row, find) for row in self._rows(whole_runs())]

    def get(self, run_id: str) -> Stored:
        """The record whose id begins with `run_id`.

        Raises:
            UnknownNameError: None does, or more than one.
        """
        rows = self._rows(whole_runs().where(RUNS.c.run_id.startswith(run_id, autoescape=True)))
        if len(rows) != 1:
            known = rows or self._rows(select(RUNS.c.run_id))
            do = None if known else "make one: harness run --method ieee"
            raise UnknownNameError("run", run_id, [row["run_id"] for row in known], do)
        return self._stored(rows[0], self.places.finder())

    def summaries(self, dataset: str | None = None, protocol: str | None = None) -> list[Summary]:
        """What tables need of every run, oldest first.

        Args:
            dataset: Only runs on the data set of this label.
            protocol: Only runs under the protocol of this name.
        """
        if not self.readable():
            return []
        find = self.places.finder()
        with self.database.reading() as connection:
            kept = has_settings(connection)
            rows = connection.execute(summaries(connection, kept, dataset, protocol))
            found = (summary_from(row, find) for row in rows)
            if kept:
                return list(found)
            return [s._replace(settings=settings_from(s.settings)) for s in found]

    def per_query(self, run_ids: Iterable[str]) -> dict[str, PerQueryValues]:
        """Each query's outcome in the runs of these whole ids.

        Unknown ids are left out, and damaged records too: one of them must not hide a whole table.
        `get` says what is damaged.
        """
        wanted = list(dict.fromkeys(run_ids))
        found = {}
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            for row in self._rows(select(RECORDS).where(RECORDS.c.run_id.in_(some))):
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    found[row["run_id"]] = per_query_from(row["record"])
        return {run_id: found[run_id] for run_id in wanted if run_id in found}

    def stamp(self) -> str:
        """A word that changes when anything in the store does; cheap to ask for."""
        rows = self._rows(select(ABOUT.c.store_id, ABOUT.c.revision))
        return "empty" if not rows else f"{rows[0]['store_id']}-{rows[0]['revision']}"

    def set_trust(self, run_id: str, trust: Trust, checked: Mapping[str, Any]) -> None:
        """Keep what a check of a run came to, instead of what one before came to.

        Args:
            run_id: The whole id.
            trust: `reported` or higher: a record is more than a claim.
            checked: JSON-ready; what was checked, and with what.

        Raises:
            UnknownNameError: There is no such run.
        """
        if trust in (Trust.CLAIMED, Trust.EVALUATED):
            raise ValueError("a record is more than a claim, or than what lies beside it")
        row = {
            "run_id": run_id,
            "trust": str(trust),
            "checked": json.dumps(dict(checked)),
            "when": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        known = self._rows(select(RUNS.c.run_id).where(RUNS.c.run_id == run_id))
        if not known:
            raise UnknownNameError("run", run_id, [s.run_id for s in self.summaries()])
        with self.database.writing() as connection:
            # First of all, so that two checks of one run take turns.
            changed(connection)
            connection.execute(delete(TRUST).where(TRUST.c.run_id == run_id))
            connection.execute(insert(TRUST).values(row))

    def trust_of(self, run_id: str) -> TrustEntry | None:
        """What the last check of a run came to; None where there was none."""
        rows = self._rows(select(TRUST).where(TRUST.c.run_id == run_id))
        if not rows:
            return None
        row = rows[0]
        return TrustEntry(
            row["run_id"], trust_from(row["trust"]), json.loads(row["checked"]), row["when"]
        )

    def _rows(self, query: Select[Any]) -> list[dict[str, Any]]:
        if not self.readable():
            return []
        with self.database.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def _require_same(self, record: RunRecord) -> None:
        rows = self._rows(select(RECORDS).where(RECORDS.c.run_id == record.run_id))
        if rows and _same(rows[0]["record"], record):
            return
        raise StoreError(
            seen=f"the store {self.database} holds another record under the id {record.run_id}",
            expected="one record for one id, for ever",
            do="see which one is damaged: harness store check",
        )

    def _stored(self, row: Mapping[str, Any], find: Find) -> Stored:
        path = find(row["run_id"], row["path"])
        try:
            record = RunRecord.model_validate_json(row["record"])
        except ValidationError as error:
            raise StoreError(
                seen=f"the store {self.database} holds a damaged record of run {row['run_id']}: "
                f"{str(error).splitlines()[0]}",
                expected="records as the harness writes them",
                do="make the store again from the record files: harness store rebuild; the run's "
                f"own file is {path}",
            ) from error
        return Stored(record, path, trust_from(row["trust"]))


def insert_runs(
    connection: Connection, pairs: Sequence[tuple[RunRecord, Path]], places: Places
) -> None:
    """Put records and their index rows in, within a transaction; each with its file's place."""
    if not pairs:
        return
    texts = [{"run_id": r.run_id, "record": r.model_dump_json()} for r, _ in pairs]
    connection.execute(insert(RECORDS), texts)
    rows = [columns_of(summary_of(r, path), places.text_of(path)) for r, path in pairs]
    connection.execute(insert(RUNS), rows)
    swept = [{"run_id": r.run_id, "sweep": r.sweep} for r, _ in pairs if r.sweep]
    if swept:
        SWEEPS.create(connection, checkfirst=True)
        connection.execute(delete(SWEEPS).where(SWEEPS.c.run_id.in_([s["run_id"] for s in swept])))
        connection.execute(insert(SWEEPS), swept)
    changed(connection)


def open_store(out: Path, url: str | None = None, patience: float = PATIENCE) -> Store:
    """The store of an --out folder, or the one at `url` or $HARNESS_STORE where there is one.

    Raises:
        StoreError: There is no such folder: a typo must not make an empty store.
    """
    named = url or os.environ.get(STORE_VARIABLE)
    if named:
        return Store(named, patience, out)
    if not out.is_dir():
        raise StoreError(
            seen=f"there is no folder {out}",
            expected="the --out folder of harness run",
            do="harness run --method ieee makes it; or name the right one with --out",
        )
    return Store(out / STORE_NAME, patience)


def _same(text: str, record: RunRecord) -> bool:
    try:
        return RunRecord.model_validate_json(text) == record
    except ValidationError:
        return False
