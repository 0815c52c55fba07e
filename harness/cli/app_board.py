"""The commands that show, compare and export runs, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import (
    Json,
    OnlyDataset,
    OnlyProtocol,
    Out,
    Plugin,
    StoreUrl,
    commands,
)

app = commands()

board = commands()


@board.callback(invoke_without_command=True)
def leaderboard(
    context: typer.Context,
    text: Annotated[bool, typer.Option("--text", help="Print it.")] = False,
    dataset: OnlyDataset = None,
    protocol: OnlyProtocol = None,
    out: Out = Path("runs"),
    store: StoreUrl = None,
    data: Annotated[
        list[str] | None,
        typer.Option("--data", help="A set whose pictures the page may show; repeatable."),
    ] = None,
    allow_submit: Annotated[
        bool, typer.Option("--allow-submit", help="Visitors with the token may add records.")
    ] = False,
    host: Annotated[
        str, typer.Option("--host", help="0.0.0.0 lets other machines see the page.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Of the page.")] = 8501,
    as_json: Json = False,
) -> None:
    """Open the leaderboard in a browser, print it, or explain a run's place."""
    from harness.cli.leaderboard import print_command, serve_command

    if context.invoked_subcommand is not None:
        context.obj = {"out": out, "json": as_json, "dataset": dataset, "protocol": protocol}
    elif text or as_json:
        print_command(out, dataset, protocol, as_json)
    else:
        serve_command(out, host, port, data or [], allow_submit)


@board.command("explain")
def leaderboard_explain(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="An id or a folder.")],
    dataset: OnlyDataset = None,
    protocol: OnlyProtocol = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where runs are kept.")] = None,
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Say why a run is where it is, or why it is not shown."""
    from harness.cli.leaderboard import explain_command

    # The options may also stand before the word explain.
    before = context.obj
    explain_command(
        run,
        out or before["out"],
        dataset or before["dataset"],
        protocol or before["protocol"],
        as_json or before["json"],
    )


@app.command()
def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="A B [C...]",
            help="Ids, folders or features files; several seeds of a side as A1,A2.",
        ),
    ],
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="Of features files; default: the runs'.")
    ] = None,
    protocol: Annotated[
        str | None, typer.Option("--protocol", help="Of features files; default: the runs'.")
    ] = None,
    queries: Annotated[
        int, typer.Option("--queries", min=0, help="How many that differ most to list.")
    ] = 10,
    out: Out = Path("runs"),
    store: StoreUrl = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Hold runs or features files against the first one, and say what that allows to say."""
    from harness.cli.compare import compare_command

    compare_command(runs, dataset, protocol, out, queries, plugin, as_json)


@app.command()
def export(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN...]", help="Only these; ids or folders.")
    ] = None,
    fmt: Annotated[
        str, typer.Option("--format", help="markdown, csv, json or latex.")
    ] = "markdown",
    dataset: OnlyDataset = None,
    protocol: OnlyProtocol = None,
    card: Annotated[
        str | None, typer.Option("--card", metavar="RUN", help="A Markdown card of one run.")
    ] = None,
    out: Out = Path("runs"),
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Write a table of the leaderboard, or the card of a run, to standard output."""
    from harness.cli.export import card_command, export_command

    if card is not None:
        card_command(card, out, as_json)
    else:
        export_command(runs or [], "json" if as_json else fmt, dataset, protocol, out)
