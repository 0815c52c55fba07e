"""The commands that say whether a number is true: verify, reproduce and submit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Device, Json, Out, Plugin, StoreUrl, commands

app = commands()

_Found = Annotated[
    str | None,
    typer.Option("--dataset", help="A name or a folder; without it, looked for by its name."),
]


@app.command()
def verify(
    what: Annotated[str, typer.Argument(metavar="RUN|BUNDLE", help="An id, a folder, an archive.")],
    dataset: _Found = None,
    add: Annotated[
        bool, typer.Option("--add", help="Keep an archive in the store if everything holds.")
    ] = False,
    out: Out = Path("runs"),
    store: StoreUrl = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Compute again everything a run says that can be; set its level of trust."""
    from harness.cli.verify import verify_command

    verify_command(what, dataset, add, out, plugin, as_json)


@app.command()
def reproduce(
    what: Annotated[
        str, typer.Argument(metavar="RUN|ROW", help="An id, a folder, or a recipe's hash.")
    ],
    dataset: _Found = None,
    into: Annotated[
        Path | None, typer.Option("--into", help="A new folder; default: OUT/reproduced/RUN.")
    ] = None,
    allow_other_code: Annotated[
        bool, typer.Option("--allow-other-code", help="Go on although the code has changed.")
    ] = False,
    out: Out = Path("runs"),
    store: StoreUrl = None,
    device: Device = "auto",
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Train again from the record alone and compare; a row is trained seed by seed."""
    from harness.cli.reproduce import reproduce_command

    reproduce_command(what, dataset, into, allow_other_code, out, device, plugin, as_json)


@app.command()
def submit(
    run: Annotated[str, typer.Argument(metavar="RUN", help="An id or a folder.")],
    weights: Annotated[bool, typer.Option("--weights", help="Put the weights in, too.")] = False,
    to: Annotated[Path | None, typer.Option("--to", help="Default: RUN.zip.")] = None,
    out: Out = Path("runs"),
    store: StoreUrl = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Make one archive of a run that another machine can verify."""
    from harness.cli.submit import submit_command

    submit_command(run, weights, to, out, plugin, as_json)
