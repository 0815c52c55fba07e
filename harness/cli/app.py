"""Every command and its options; the work is imported when a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Data, Device, Json, Mode, Out, Plugin, Set, StoreUrl, with_mode

app = typer.Typer(
    name="harness",
    help="Train, score and rank multi-modal (RGB, NI, TI) re-identification methods.",
    # Plain help and our own errors: rich would double the time --help takes.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    epilog="--debug with any command shows the traceback of an error.",
)
data = typer.Typer(
    help="Check data sets, or draw one.", rich_markup_mode=None, no_args_is_help=True
)
app.add_typer(data, name="data")

# The name of a protocol may begin with a minus, such as -NI, and is no option then.
_MINUS = {"ignore_unknown_options": True}


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
    as_json: Json = False,
) -> None:
    """Train and score a method; go on where an earlier try was cut off.

    Several processes share it:

    torchrun --standalone --nproc-per-node N --no-python harness run ...
    """
    from harness.cli.run import run_command

    settings = with_mode(changes, mode)
    run_command(
        method, dataset, protocol, recipe, seed, seeds, settings, out, device, plugin, as_json
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
        int | None, typer.Option("--classes", help="Identities the checkpoint was trained on.")
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


@app.command(context_settings=_MINUS)
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


@app.command(context_settings=_MINUS)
def lint(
    dataset: Annotated[str, typer.Argument(help="A name or a folder.")],
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


@data.command("check")
def data_check(
    dataset: Annotated[str, typer.Argument(help="A name or a folder.")],
    root: Annotated[Path | None, typer.Option("--root", help="The set's folder.")] = None,
    accept_variant: Annotated[
        bool, typer.Option("--accept-variant", help="Another list than the published one is meant.")
    ] = False,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Hold every file against the card; open every image."""
    from harness.cli.data import check_command

    check_command(dataset, root, accept_variant, plugin, as_json)


@data.command("synthesize")
def data_synthesize(
    like: Annotated[str, typer.Option("--like", help="The set to imitate, such as rgbnt201.")],
    out: Annotated[Path, typer.Option("--out", help="A new folder.")],
    scale: Annotated[
        str, typer.Option("--scale", help="full: all its identities and counts; small: a few.")
    ] = "full",
    seed: Annotated[int, typer.Option("--seed", help="Of everything drawn.")] = 0,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Draw a set in a real one's layout, with its identities, cameras and counts or a few."""
    from harness.cli.data import synthesize_command

    synthesize_command(like, out, seed, scale, plugin, as_json)


@data.command("train-translator")
def data_train_translator(
    *,
    dataset: Annotated[str, typer.Option("--dataset", help="A name or a folder.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the weights and their card.")],
    source: Annotated[str, typer.Option("--source", help="The modality to translate.")] = "RGB",
    target: Annotated[str, typer.Option("--target", help="The modality to make.")] = "TI",
    size: Annotated[
        tuple[int, int], typer.Option("--size", metavar="H W", help="Multiples of 4, from 24.")
    ] = (256, 128),
    epochs: Annotated[int, typer.Option("--epochs", help="Half of them at a falling rate.")] = 200,
    blocks: Annotated[int, typer.Option("--blocks", help="Residual blocks.")] = 9,
    width: Annotated[int, typer.Option("--width", help="First channels of each network.")] = 64,
    identity_loss: Annotated[
        bool, typer.Option("--identity-loss", help="Add it, half as heavy as the cycle loss.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of everything drawn.")] = 0,
    device: Device = "auto",
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Train a CycleGAN from one modality to another; go on where an earlier try was cut off."""
    from harness.cli.reconstruct import train_translator_command

    train_translator_command(
        dataset=dataset,
        source=source,
        target=target,
        out=out,
        size=size,
        epochs=epochs,
        blocks=blocks,
        width=width,
        identity_loss=identity_loss,
        seed=seed,
        device=device,
        plugin=plugin,
        as_json=as_json,
    )


@data.command("reconstruct")
def data_reconstruct(
    name: Annotated[str, typer.Argument(help="What to make it from; a wrong name lists them.")],
    root: Annotated[Path, typer.Option("--root", help="The folder of that set.")],
    out: Annotated[Path, typer.Option("--out", help="A new folder.")],
    translator: Annotated[
        Path | None, typer.Option("--translator", help="Weights of data train-translator.")
    ] = None,
    device: Device = "auto",
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Make a data set from another one, as its authors did."""
    from harness.cli.reconstruct import reconstruct_command

    reconstruct_command(name, root, out, translator, device, plugin, as_json)


# The other groups of commands declare themselves on `app`.
from harness.cli import (  # noqa: E402, F401
    app_bench,
    app_board,
    app_claims,
    app_store,
    app_tables,
    app_trust,
)
