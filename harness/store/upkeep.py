"""Bringing records in, making the index anew, and looking for what is wrong."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError
from sqlalchemy import Connection, delete, func, select

from harness.base.errors import HarnessError, RecordError
from harness.evidence.fields import field_problem
from harness.evidence.record import RunRecord, read_record, record_id
from harness.evidence.reproduction import reproduced_run
from harness.evidence.trust import Trust
from harness.evidence.written import MAY_BE_ELSEWHERE as WEIGHTS
from harness.store.core import Store, insert_runs
from harness.store.database import Database
from harness.store.migrate import back_up, free_name
from harness.store.places import Places
from harness.store.rows import summary_of
from harness.store.tables import RECORDS, RUNS, TRUST


class Problem(NamedTuple):
    """One thing that is wrong: with which run or file, of which kind, and what."""

    where: str
    kind: str
    seen: str


class Reproduction(NamedTuple):
    """A record that `harness reproduce` wrote: of which run, and where it lies."""

    run_id: str
    record: str


class Imported(NamedTuple):
    """What an import came to; ids of runs, and files that were refused."""

    added: tuple[str, ...]
    known: tuple[str, ...]
    refused: tuple[Problem, ...]
    reproductions: tuple[Reproduction, ...]
    """Left where they are: they are evidence of their runs, and no runs of their own."""


class Checked(NamedTuple):
    """What a check came to."""

    problems: tuple[Problem, ...]
    without_weights: tuple[str, ...]
    """Runs whose weights are not beside their records: sent without, or taken away."""


class Rebuilt(NamedTuple):
    """What a rebuild came to."""

    records: int
    from_files: int
    """Of these, how many a file under the folder holds; the others were in the store only."""
    lowered: int
    """Runs whose trust was above `reported` and is not any more."""
    refused: tuple[Problem, ...]
    reproductions: tuple[Reproduction, ...]
    """As of an import; those that the store held as runs are taken out of it."""
    backup: Path | None


def records_under(place: Path) -> Iterator[tuple[Path, RunRecord | Problem]]:
    """Every record file under a folder, or the one named, that is whole; else what is wrong.

    Raises:
        RecordError: There is nothing of that name.
    """
    if not place.exists():
        raise RecordError(
            seen=f"there is nothing at {place}",
            expected="a record.json, or a folder with some under it",
            do="check the path",
        )
    files = [place] if place.is_file() else sorted(place.rglob("record*.json"))
    for file in files:
        # Beside record.json, a run keeps records that do not stand any more under their id.
        if file != place and file.name != "record.json" and file.name.count(".") != 2:
            continue
        try:
            record = read_record(file)
        except HarnessError as error:
            yield file, Problem(str(file), "not a record", error.seen)
            continue
        yield file, record if record.run_id == record_id(record) else _edited(str(file), record)


def import_records(store: Store, places: Sequence[Path]) -> Imported:
    """Add the records of these files and folders; they stay where they are.

    Of a record that is known the place may be noted anew, see `Store.add`.

    Raises:
        RecordError: A place does not exist.
        StoreError: The store does not answer.
    """
    added, known, refused, again = [], [], [], []
    for place in places:
        for file, found in records_under(place):
            if isinstance(found, Problem):
                refused.append(found)
                continue
            repeats = reproduced_run(found, file.resolve())
            if repeats:
                again.append(Reproduction(repeats, str(file)))
                continue
            # A record from elsewhere may say anything; a table shows it to everybody.
            strange = field_problem(found)
            if strange:
                refused.append(Problem(str(file), "fields", strange))
            elif store.add(found, file):
                added.append(found.run_id)
            else:
                known.append(found.run_id)
    return Imported(tuple(added), tuple(known), tuple(refused), tuple(again))


def check_store(store: Store) -> Checked:
    """What is wrong: records that do not hash, files gone or changed, evidence that is missing.

    Evidence is looked for and not hashed; `harness verify` does that. Weights may be elsewhere, as
    they may for `harness verify`.
    """
    if not store.readable():
        return Checked((), ())
    with store.database.reading() as connection:
        rows = connection.execute(select(RECORDS.c.run_id, RECORDS.c.record)).all()
        texts = {row.run_id: row.record for row in rows}
    summaries = {s.run_id: s for s in store.summaries()}
    problems, bare = [], []
    for run_id, text in texts.items():
        if run_id not in summaries:
            problems.append(Problem(run_id, "index", "the index does not have this record"))
            continue
        found = _parsed(run_id, text)
        if isinstance(found, Problem):
            problems.append(found)
            continue
        summary = summaries[run_id]
        if summary != summary_of(found, summary.path, summary.trust):
            problems.append(Problem(run_id, "index", "the index differs from the record"))
        problems += _file_problems(found, summary.path)
        weights = found.evidence.get(WEIGHTS)
        if weights and not (summary.path.parent / weights.file).is_file():
            bare.append(run_id)
    return Checked(tuple(problems), tuple(bare))


def rebuild(place: Path | str, folder: Path) -> Rebuilt:
    """Make the index of a store anew from its records and from the record files under `folder`.

    Where both have a record, the file's place counts. A record that does not hash is left out.
    What checks came to is forgotten: nothing of a store that is in doubt is kept but what proves
    itself. On SQLite a copy of the old file is kept.

    Raises:
        StoreError: A newer harness wrote the store, or it does not answer.
        RecordError: There is no such folder.
    """
    found = list(records_under(folder))
    refused = [f for _, f in found if isinstance(f, Problem)]
    files, again = _runs_of((r, path) for path, r in found if isinstance(r, RunRecord))
    file = Database(place).file
    backup = None if file is None else _moved_aside(file)
    store = Store(place, out=folder)
    if file is not None and store.database.is_made:
        backup = back_up(file, "before-rebuild")
    with store.rewriting() as connection:
        genuine, bad = _genuine(connection, store.places)
        refused += bad
        kept, held = _runs_of(genuine)
        above = select(func.count()).where(TRUST.c.trust != str(Trust.REPORTED))
        lowered = connection.execute(above).scalar_one()
        for table in (TRUST, RUNS, RECORDS):
            connection.execute(delete(table))
        insert_runs(connection, list((kept | files).values()), store.places)
    reproductions = tuple(dict.fromkeys([*again, *held]))
    return Rebuilt(len(kept | files), len(files), lowered, tuple(refused), reproductions, backup)


def _runs_of(
    pairs: Iterable[tuple[RunRecord, Path]],
) -> tuple[dict[str, tuple[RunRecord, Path]], list[Reproduction]]:
    """Runs of their own by id, and those that were made again."""
    runs, again = {}, []
    for record, path in pairs:
        # A file and the store's path of it are one place, from wherever they are named.
        place = path.resolve()
        repeats = reproduced_run(record, place)
        if repeats:
            again.append(Reproduction(repeats, str(place)))
        else:
            runs[record.run_id] = (record, path)
    return runs, again


def _genuine(
    connection: Connection, places: Places
) -> tuple[list[tuple[RunRecord, Path]], list[Problem]]:
    """The records of a store that hash to their ids, and what is wrong with the others."""
    query = select(RECORDS.c.run_id, RECORDS.c.record, RUNS.c.path)
    query = query.outerjoin(RUNS, RUNS.c.run_id == RECORDS.c.run_id)
    kept, refused, find = [], [], places.finder()
    for run_id, text, path in connection.execute(query):
        found = _parsed(run_id, text)
        if isinstance(found, Problem):
            refused.append(found)
        else:
            kept.append((found, find(run_id, path or "record.json")))
    return kept, refused


def _moved_aside(place: Path) -> Path | None:
    """Rename a SQLite file that cannot be read at all; None where there is nothing to rename."""
    if not place.exists():
        return None
    try:
        with contextlib.closing(sqlite3.connect(place)) as connection:
            whole = connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    except sqlite3.OperationalError:
        # Locked, or not to be opened: opening the store says so.
        return None
    except sqlite3.DatabaseError:
        whole = False
    if whole:
        return None
    return place.rename(free_name(place.with_name(f"{place.name}.damaged")))


def _parsed(run_id: str, text: str) -> RunRecord | Problem:
    try:
        record = RunRecord.model_validate_json(text)
    except ValidationError as error:
        return Problem(run_id, "damaged", str(error).splitlines()[0])
    if record.run_id != run_id:
        return Problem(run_id, "id", f"the record under this id says it is {record.run_id}")
    return record if record_id(record) == run_id else _edited(run_id, record)


def _edited(where: str, record: RunRecord) -> Problem:
    return Problem(
        where,
        "id",
        f"the record says it is {record.run_id} and its contents hash to {record_id(record)}: "
        "it was edited",
    )


def _file_problems(record: RunRecord, path: Path) -> Iterator[Problem]:
    if not path.is_file():
        yield Problem(record.run_id, "file gone", f"there is no {path}")
        return
    try:
        same = read_record(path) == record
    except HarnessError:
        same = False
    if not same:
        yield Problem(record.run_id, "file differs", f"{path} is not the record that was added")
    for name, evidence in record.evidence.items():
        file = path.parent / evidence.file
        gone = not file.is_file() and name != WEIGHTS
        if gone or Path(evidence.file).name != evidence.file:
            yield Problem(record.run_id, f"evidence {name}", f"there is no {file}")
