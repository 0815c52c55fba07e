"""The commands that train, score, list, show and lint, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import (
    MINUS,
    Data,
    DataPlace,
    Device,
    Json,
    Mode,
    Out,
    Plugin,
    Set,
    StoreUrl,
    commands,
    with_mode,
)

app = commands()


@app.command()
def run(
    *,
    method: Annotated[str, typer.Option("--method", help="See: harness list methods.")],
    dataset: Data = None,
    protocol: Annotated[str | None, typer.Option("--protocol", help="Default: the card's.")] = None,
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="A name (harness list recipes) or a file.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Default: 40.")] = None,
    seeds: Annotated[str | None, typer.Option("--seeds", help="Several, such as 1,2,3.")] = None,
    changes: Set = None,
    mode: Mode = None,
    out: Out = Path("runs"),
    store: StoreUrl = None,
    device: Device = "auto",
    plugin: Plugin = None,
    sweep: Annotated[
        str | None,
        typer.Option("--sweep", help="A name in the record, by which the board filters."),
    ] = None,
    in_folder_only: Annotated[
        bool,
        typer.Option("--no-store", help="Leave the record to a later: harness store import."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Train and score a method; go on where an earlier try was cut off.

    Several processes share it:

    torchrun --standalone --nproc-per-node N --no-python harness run ...
    """
    from harness.cli.run import run_command

    run_command(
        method=method,
        dataset=dataset,
        protocol=protocol,
        recipe=recipe,
        seed=seed,
        seeds=seeds,
        changes=with_mode(changes, mode),
        out=out,
        device=device,
        plugin=plugin,
        as_json=as_json,
        sweep=sweep,
        in_folder_only=in_folder_only,
    )


@app.command()
def evaluate(
    *,
    dataset: Data = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option("--protocol", help="A name or a group (missing, cross, all); repeatable."),
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", help="A finished run, by its id or folder.")
    ] = None,
    features: Annotated[
        Path | None, typer.Option("--features", help="Descriptors, npz or safetensors.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="Weights: ours, or of a method's authors.")
    ] = None,
    method: Annotated[str | None, typer.Option("--method", help="Of the checkpoint.")] = None,
    recipe: Annotated[str | None, typer.Option("--recipe", help="Of the checkpoint.")] = None,
    classes: Annotated[
        int | None,
        typer.Option(
            "--classes", min=1, max=10_000_000, help="Identities the checkpoint was trained on."
        ),
    ] = None,
    rerank: Annotated[
        bool, typer.Option("--rerank", help="Also score k-reciprocal re-ranking.")
    ] = False,
    changes: Set = None,
    out: Out = Path("runs"),
    store: StoreUrl = None,
    device: Device = "auto",
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Score a run, a checkpoint or a features file, under one protocol or many."""
    from harness.cli.evaluate import evaluate_command

    evaluate_command(
        dataset=dataset,
        protocols=protocol or [],
        features=features,
        checkpoint=checkpoint,
        run=run,
        method=method,
        recipe=recipe,
        classes=classes,
        rerank=rerank,
        changes=changes or [],
        out=out,
        device=device,
        plugin=plugin,
        as_json=as_json,
    )


@app.command("list")
def list_(
    kind: Annotated[
        str, typer.Argument(help="methods, datasets, protocols, recipes, tables or runs.")
    ],
    method: Annotated[str | None, typer.Option("--method", help="Whose recipes.")] = None,
    out: Out = Path("runs"),
    store: StoreUrl = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """List what is there; what is broken is listed with its error."""
    from harness.cli.listing import list_command

    list_command(kind, method, out, plugin, as_json)


@app.command(context_settings=MINUS)
def show(
    kind: Annotated[str, typer.Argument(help="method, dataset, protocol, recipe or run.")],
    name: Annotated[str, typer.Argument(help="Its name; a run by its id or folder.")],
    method: Annotated[str, typer.Option("--method", help="Whose recipe.")] = "ieee",
    out: Out = Path("runs"),
    store: StoreUrl = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Show one thing whole."""
    from harness.cli.listing import show_command

    show_command(kind, name, method, out, plugin, as_json)


@app.command(context_settings=MINUS)
def lint(
    dataset: DataPlace,
    protocol: Annotated[str | None, typer.Argument(help="Default: the card's.")] = None,
    content: Annotated[
        bool, typer.Option("--content", help="Read every file to find copies of pictures.")
    ] = False,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Say what stands in the way of a fair number, before any training."""
    from harness.cli.data import lint_command

    lint_command(dataset, protocol, content, plugin, as_json)
