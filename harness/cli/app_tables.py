"""The command `harness table` and its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.cluster_options import (
    Account,
    Constraint,
    Cpus,
    Further,
    Gpus,
    GpusPerRun,
    Jobs,
    Memory,
    NodesPerRun,
    Parallel,
    Partition,
    Retries,
    Setup,
    Time,
)
from harness.cli.options import Device, Json, Mode, Out, Plugin, Set, StoreUrl, commands, with_mode

app = commands()


@app.command()
def table(
    *,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME_OR_PLAN.toml", help="See: harness list tables; or a file of your own."
        ),
    ],
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            "--dataset", help="A name or a folder; repeatable. Without: the embedded synthetic set."
        ),
    ] = None,
    track: Annotated[
        str | None,
        typer.Option(
            "--track", help="official, common or smoke. Default: smoke on the embedded set."
        ),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option("--seeds", help="Such as 1,2,3. Default: all that are there.")
    ] = None,
    changes: Set = None,
    mode: Mode = None,
    run: Annotated[bool, typer.Option("--run", help="Train and score what is missing.")] = False,
    fmt: Annotated[str, typer.Option("--format", help="text, markdown, latex or csv.")] = "text",
    figure: Annotated[
        Path | None, typer.Option("--figure", help="Draw it: FILE.png, .svg or .pdf.")
    ] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", help="With --run: local or slurm, as a sweep. Default: one by one."),
    ] = None,
    jobs: Jobs = None,
    gpus_per_run: GpusPerRun = 1,
    nodes_per_run: NodesPerRun = 1,
    partition: Partition = None,
    account: Account = None,
    constraint: Constraint = None,
    gpus: Gpus = None,
    cpus: Cpus = None,
    memory: Memory = None,
    time: Time = "24:00:00",
    setup: Setup = None,
    parallel: Parallel = None,
    slurm: Further = None,
    retries: Retries = 3,
    out: Out = Path("runs"),
    store: StoreUrl = None,
    device: Device = "auto",
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Show a paper's table: its claims beside the runs that are here."""
    from harness.cli.sweep_words import Words
    from harness.cli.table import table_command

    words = Words(
        on=on or "local",
        jobs=jobs,
        gpus_per_run=gpus_per_run,
        nodes_per_run=nodes_per_run,
        partition=partition,
        account=account,
        constraint=constraint,
        gpus=gpus,
        cpus=cpus,
        memory=memory,
        time=time,
        setup=tuple(setup or ()),
        parallel=parallel,
        slurm=tuple(slurm or ()),
        retries=retries,
        device=device,
    )
    table_command(
        name=name,
        datasets=dataset or [],
        track=track,
        seeds=seeds,
        changes=with_mode(changes, mode),
        out=out,
        run=run,
        fmt=fmt,
        figure=figure,
        device=device,
        plugin=plugin or [],
        json=as_json,
        words=words if run and on else None,
    )
