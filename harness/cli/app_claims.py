"""The commands of `harness claims`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import MINUS, Json, OnlyDataset, OnlyProtocol, Plugin, group

claims = group("The numbers that papers print, with their sources.")


@claims.command("list", context_settings=MINUS)
def claims_list(
    method: Annotated[str | None, typer.Option("--method", help="As printed, or ours.")] = None,
    dataset: OnlyDataset = None,
    protocol: OnlyProtocol = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="Such as text-at-test; may be repeated.")
    ] = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """List claims, shipped ones and your own; those that conflict are marked."""
    from harness.cli.claims import list_command

    list_command(method, dataset, protocol, tag or [], plugin, as_json)


@claims.command("check")
def claims_check(
    file: Annotated[
        Path | None, typer.Argument(help="A CSV of claims; default: all that are in use.")
    ] = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Hold claims against their schema: ranges, orders, known protocols, sources, conflicts."""
    from harness.cli.claims import check_command

    check_command(file, plugin, as_json)


@claims.command("import")
def claims_import(
    file: Annotated[Path, typer.Argument(help="A CSV; docs/claims.md says its columns.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Your own claims file; default: $HARNESS_CLAIMS.")
    ] = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Add claims of your own; they are listed beside the shipped ones."""
    from harness.cli.claims import import_command

    import_command(file, out, plugin, as_json)
