"""`harness store import | export | rebuild | check`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from harness.base.files import STORE_VARIABLE
from harness.base.progress import say
from harness.cli.again import place_words, print_next
from harness.cli.output import emit, shown_path, table
from harness.store import STORE_NAME, open_store
from harness.store.export import export_records
from harness.store.upkeep import (
    Problem,
    Reproduction,
    check_store,
    import_records,
    rebuild,
)


def import_command(places: Sequence[Path], out: Path, as_json: bool) -> None:
    """Print how many records came in; exit code 2 when a file was refused."""
    store = open_store(out)
    found = import_records(store, places)
    if as_json:
        emit({"store": str(store.database), **_plain(found)})
    else:
        print(
            f"{len(found.added)} records added to {store.database}, "
            f"{len(found.known)} were there before"
        )
        _print(found.refused, "refused")
        _print_again(found.reproductions)
    if found.refused:
        raise typer.Exit(2)


def export_command(folder: Path, out: Path, as_json: bool) -> None:
    """Print how many records went out, and which evidence is not here."""
    store = open_store(out)
    found = export_records(store, folder)
    if as_json:
        emit({"store": str(store.database), "folder": str(folder), **_plain(found)})
        return
    print(f"{len(found.records)} records with their evidence are in {folder}")
    _print(found.missing, "evidence that is not on this machine")
    print("Trust is not part of a record: who imports these checks them with harness verify.")


def rebuild_command(folder: Path | None, out: Path, as_json: bool) -> None:
    """Print what the store holds now; exit code 2 when something was left out."""
    place = os.environ.get(STORE_VARIABLE) or out / STORE_NAME
    found = rebuild(place, folder or out)
    # Opened again, to be sure, and for the name without a password.
    shown = str(open_store(out).database)
    if found.lowered:
        say(f"{found.lowered} runs are only reported now; check them again: harness verify")
    if as_json:
        emit({"store": shown, **_plain(found), "backup": found.backup and str(found.backup)})
    else:
        print(
            f"{shown} holds {found.records} records, {found.from_files} of them from files under "
            f"{folder or out}"
        )
        if found.backup:
            print(f"the store as it was is kept: {found.backup}")
        _print(found.refused, "left out")
        _print_again(found.reproductions)
    if found.refused:
        raise typer.Exit(2)


def check_command(out: Path, as_json: bool) -> None:
    """Print the problems; exit code 2 when there is one."""
    store = open_store(out)
    problems, bare = check_store(store)
    summaries = store.summaries()
    count, folder = len(summaries), store.places.home or out.resolve()
    elsewhere = [s.run_id for s in summaries if store.places.elsewhere(s.path)]
    if as_json:
        emit(
            {
                "store": str(store.database),
                "folder": str(folder),
                "records": count,
                "elsewhere": elsewhere,
                "without_weights": bare,
                "ok": not problems,
                "problems": [p._asdict() for p in problems],
            }
        )
    elif problems:
        _print(problems, f"{store.database} holds {count} records; what is wrong")
        place = place_words(out)
        print("where the index or a record is wrong, and where files were moved:")
        print_next(f"store rebuild{place}", f"store import FOLDER{place}")
    else:
        print(f"{store.database} holds {count} records; all are whole, with their evidence")
    say(f"read under {folder}: the files of {count - len(elsewhere)} of {count} records")
    if elsewhere:
        say(
            f"the files of the others lie elsewhere, such as those of run {elsewhere[0]}; "
            "harness show run ID says where"
        )
    if bare:
        say(
            f"{len(bare)} of {count} are here without their weights, such as {bare[0]}: scored "
            "again they can be, evaluated under a further protocol they cannot"
        )
    if problems:
        raise typer.Exit(2)


def _plain(found: Any) -> dict[str, Any]:
    """A result as JSON-ready fields."""
    return {
        key: [v._asdict() if isinstance(v, Problem | Reproduction) else v for v in value]
        if isinstance(value, tuple)
        else value
        for key, value in found._asdict().items()
    }


def _print(problems: Sequence[Problem], title: str) -> None:
    if problems:
        table(["where", "kind", "seen"], [list(p) for p in problems], title=title)


def _print_again(found: Sequence[Reproduction]) -> None:
    if found:
        print("made again by harness reproduce, so evidence of their runs and no runs themselves:")
        for one in found:
            print(f"  {one.run_id}: {shown_path(Path(one.record))}")
