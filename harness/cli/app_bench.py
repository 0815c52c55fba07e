"""The command that measures, and its options."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.options import Json, commands

app = commands()


@app.command()
def bench(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="Only these; see --list.")
    ] = None,
    peer: Annotated[
        list[str] | None,
        typer.Option("--peer", metavar="NAME=PATH", help="A checkout to hold us against."),
    ] = None,
    repeats: Annotated[
        int | None, typer.Option("--repeats", min=1, help="Rounds; default: each script's own.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Put the tables into benchmarks/README.md.")
    ] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="Name the scripts and peers, and measure nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure speed and memory beside other people's code, interleaved."""
    from harness.cli.bench import bench_command, list_command

    if listed:
        list_command(as_json)
    else:
        bench_command(names or [], peer or [], repeats, write, as_json)
