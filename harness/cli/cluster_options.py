"""Options of commands that start runs here or on a cluster; help says which are SLURM's alone."""

from __future__ import annotations

from typing import Annotated

import typer

Partition = Annotated[
    str | None,
    typer.Option("--partition", help="slurm: where jobs are queued."),
]
Account = Annotated[str | None, typer.Option("--account", help="slurm: who pays.")]
Constraint = Annotated[str | None, typer.Option("--constraint", help="slurm: features of a node.")]
Gpus = Annotated[
    int | None, typer.Option("--gpus", min=1, help="slurm: GPUs of a job. Default: none asked for.")
]
Cpus = Annotated[int | None, typer.Option("--cpus", min=1, help="slurm: cores of a job.")]
Memory = Annotated[str | None, typer.Option("--memory", help="slurm: of a node, such as 32G.")]
Time = Annotated[
    str, typer.Option("--time", help="slurm: of a job before it is stopped and queued again.")
]
Setup = Annotated[
    list[str] | None,
    typer.Option("--setup", metavar="LINE", help="slurm: of the shell before a run; repeatable."),
]
Parallel = Annotated[
    int | None, typer.Option("--parallel", min=1, help="slurm: so many jobs at a time.")
]
Further = Annotated[
    list[str] | None,
    typer.Option("--slurm", metavar="KEY=VALUE", help="slurm: any key of #SBATCH; repeatable."),
]
Retries = Annotated[
    int, typer.Option("--retries", min=0, help="slurm: so often is a stopped job queued again.")
]
GpusPerRun = Annotated[
    int, typer.Option("--gpus-per-run", min=1, help="Processes of one run, a GPU each (torchrun).")
]
NodesPerRun = Annotated[
    int, typer.Option("--nodes-per-run", min=1, help="slurm: machines of one run.")
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", min=1, help="local: runs at a time. Default: one a GPU, or one."),
]
