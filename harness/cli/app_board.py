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
    *,
    text: Annotated[bool, typer.Option("--text", help="Print it.")] = False,
    overview: Annotated[
        bool, typer.Option("--overview", help="Print methods by protocols of one data set.")
    ] = False,
    metric: Annotated[str, typer.Option("--metric", help="Of the overview.")] = "mAP",
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
    static: Annotated[
        Path | None,
        typer.Option("--static", metavar="FOLDER", help="Write it as a site of files, and end."),
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="0.0.0.0 lets other machines see the page.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Of the page.")] = 8501,
    as_json: Json = False,
) -> None:
    """Open the leaderboard in a browser, print it, write it as a site, or explain a run's place."""
    from harness.cli.leaderboard import (
        overview_command,
        print_command,
        serve_command,
        static_command,
    )

    if context.invoked_subcommand is not None:
        context.obj = {"out": out, "json": as_json, "dataset": dataset, "protocol": protocol}
    elif static is not None:
        static_command(out, static, store, data or [], as_json)
    elif overview:
        overview_command(out, dataset, metric, as_json)
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
    *,
    rows: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ROW...]",
            help="Only these: ids or folders of runs; with --dataset, ids of claims too.",
        ),
    ] = None,
    fmt: Annotated[
        str, typer.Option("--format", help="markdown, csv, json or latex.")
    ] = "markdown",
    dataset: OnlyDataset = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option("--protocol", help="A name or a group; several stand side by side."),
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", help="mAP, R1, R5, R10, mINP; repeatable.")
    ] = None,
    by: Annotated[str, typer.Option("--group-by", help="backbone or year.")] = "",
    baseline: Annotated[
        str, typer.Option("--baseline", metavar="ROW", help="What a dagger says p < 0.05 against.")
    ] = "",
    caption: Annotated[str, typer.Option("--caption", help="Of the table in a paper.")] = "",
    label: Annotated[str, typer.Option("--label", help="What LaTeX calls it.")] = "",
    card: Annotated[
        str | None, typer.Option("--card", metavar="RUN", help="A Markdown card of one run.")
    ] = None,
    out: Out = Path("runs"),
    store: StoreUrl = None,
    as_json: Json = False,
) -> None:
    """Write a table of the leaderboard, or the card of a run, to standard output.

    LaTeX, and any format with the options of a paper, has a row's name and its numbers alone.
    """
    from harness.cli.export import asked_of, card_command, export_command

    if card is not None:
        card_command(card, out, as_json)
        return
    asked = asked_of(metric or [], by, baseline, caption, label)
    form = "json" if as_json else fmt
    export_command(rows or [], form, dataset, protocol or [], asked, out)
