"""The commands of `harness sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

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

NoWait = Annotated[bool, typer.Option("--no-wait", help="slurm: submit, and come back at once.")]
SweepName = Annotated[
    str | None, typer.Argument(metavar="[PLAN]", help="A sweep's name or its plan; else the last.")
]


class _StartsByDefault(TyperGroup):
    """`harness sweep PLAN` starts it: the word for that may be left out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the word in where the first one is no other command."""
        if args and args[0] not in (*self.commands, "--help"):
            args = ["start", *args]
        return super().parse_args(ctx, args)


sweep = commands(
    cls=_StartsByDefault,
    no_args_is_help=True,
    help="Many runs at once, here or on a SLURM cluster: harness sweep PLAN.toml",
)


@sweep.command()
def start(
    *,
    plan: Annotated[
        str, typer.Argument(metavar="PLAN.toml", help="Or a table: harness list tables.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and start nothing.")
    ] = False,
    on: Annotated[str, typer.Option("--on", help="local or slurm.")] = "local",
    dataset: Annotated[
        list[str] | None, typer.Option("--dataset", help="Of a table; repeatable.")
    ] = None,
    track: Annotated[str | None, typer.Option("--track", help="Of a table.")] = None,
    seeds: Annotated[str | None, typer.Option("--seeds", help="Instead of the plan's.")] = None,
    changes: Set = None,
    mode: Mode = None,
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
    no_wait: NoWait = False,
    out: Out = Path("runs"),
    store: StoreUrl = None,
    device: Device = "auto",
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Start what is missing of a plan (the word `start` may be left out)."""
    from harness.cli.sweep import start_command
    from harness.cli.sweep_words import Words

    start_command(
        plan,
        Words(
            on=on,
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
            no_wait=no_wait,
            device=device,
        ),
        dry_run=dry_run,
        datasets=dataset or [],
        track=track,
        seeds=seeds,
        changes=with_mode(changes, mode),
        out=out,
        plugin=plugin or [],
        as_json=as_json,
    )


@sweep.command()
def status(
    plan: SweepName = None,
    watch: Annotated[bool, typer.Option("--watch", help="Again and again, until all is done.")] = (
        False
    ),
    out: Out = Path("runs"),
    as_json: Json = False,
) -> None:
    """Say how far every run of a sweep is."""
    from harness.cli.sweep import status_command

    status_command(plan, out, watch, as_json)


@sweep.command()
def cancel(plan: SweepName = None, out: Out = Path("runs"), as_json: Json = False) -> None:
    """Stop a sweep; runs save themselves, and starting it again goes on."""
    from harness.cli.sweep import cancel_command

    cancel_command(plan, out, as_json)


@sweep.command()
def logs(
    run: Annotated[str, typer.Argument(help="The beginning of its id: harness sweep status.")],
    plan: Annotated[str | None, typer.Option("--sweep", help="Default: the last one.")] = None,
    out: Out = Path("runs"),
) -> None:
    """Print what a run said, try after try."""
    from harness.cli.sweep import logs_command

    logs_command(run, plan, out)
