"""The commands of `harness store`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Json, Out, StoreUrl, group

store = group("Keep the store of records: import, export, rebuild, check.")


@store.command("import")
def store_import(
    places: Annotated[
        list[Path], typer.Argument(help="record.json files, or folders with some under them.")
    ],
    out: Out = Path("runs"),
    url: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Add records made elsewhere; the files stay where they are."""
    from harness.cli.store import import_command

    import_command(places, out, as_json)


@store.command("export")
def store_export(
    folder: Annotated[Path, typer.Argument(help="Each run gets a folder in it.")],
    out: Out = Path("runs"),
    url: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Write every record with its evidence to a folder that can be given away."""
    from harness.cli.store import export_command

    export_command(folder, out, as_json)


@store.command("rebuild")
def store_rebuild(
    folder: Annotated[
        Path | None, typer.Argument(help="Where record files are; default: the --out folder.")
    ] = None,
    out: Out = Path("runs"),
    url: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Make the index anew from records; what checks came to falls back to reported."""
    from harness.cli.store import rebuild_command

    rebuild_command(folder, out, as_json)


@store.command("check")
def store_check(out: Out = Path("runs"), url: StoreUrl = None, as_json: Json = False) -> None:
    """Find records that do not hash, files that are gone or differ, evidence that is missing."""
    from harness.cli.store import check_command

    check_command(out, as_json)
