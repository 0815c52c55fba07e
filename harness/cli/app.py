"""Every command and its options; the work is imported when a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Plugin = Annotated[
    list[Path] | None,
    typer.Option("--plugin", help="A .py file or folder with more methods; may be repeated."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a recipe key; may be repeated."),
]
Data = Annotated[
    str | None,
    typer.Option("--dataset", help="A name or a folder; without it, the embedded synthetic set."),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]
Out = Annotated[Path, typer.Option("--out", help="Where runs and their store are kept.")]


@app.command()
def run(
    method: Annotated[str, typer.Option("--method", help="See: harness list methods.")],
    dataset: Data = None,
    protocol: Annotated[str | None, typer.Option("--protocol", help="Default: the card's.")] = None,
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="A name (harness list recipes) or a file.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Default: 40.")] = None,
    seeds: Annotated[str | None, typer.Option("--seeds", help="Several, such as 1,2,3.")] = None,
    changes: Set = None,
    out: Out = Path("runs"),
    device: Device = "auto",
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Train and score a method; go on where an earlier try was cut off."""
    from harness.cli.run import run_command

    run_command(
        method, dataset, protocol, recipe, seed, seeds, changes or [], out, device, plugin, as_json
    )


@app.command()
def evaluate(
    dataset: Data = None,
    protocol: Annotated[str | None, typer.Option("--protocol", help="Default: the card's.")] = None,
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
    device: Device = "auto",
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Score a checkpoint, or a features file, under a protocol."""
    from harness.cli.evaluate import evaluate_command

    evaluate_command(
        dataset,
        protocol,
        features,
        checkpoint,
        method,
        recipe,
        classes,
        rerank,
        changes or [],
        device,
        plugin,
        as_json,
    )


@app.command("list")
def list_(
    kind: Annotated[str, typer.Argument(help="methods, datasets, protocols, recipes or runs.")],
    method: Annotated[str | None, typer.Option("--method", help="Whose recipes.")] = None,
    out: Out = Path("runs"),
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """List what is there; what is broken is listed with its error."""
    from harness.cli.listing import list_command

    list_command(kind, method, out, plugin, as_json)


@app.command()
def show(
    kind: Annotated[str, typer.Argument(help="method, dataset, protocol, recipe or run.")],
    name: Annotated[str, typer.Argument(help="Its name; a run by its id or folder.")],
    method: Annotated[str, typer.Option("--method", help="Whose recipe.")] = "ieee",
    out: Out = Path("runs"),
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Show one thing whole."""
    from harness.cli.listing import show_command

    show_command(kind, name, method, out, plugin, as_json)


@app.command()
def lint(
    dataset: Annotated[str, typer.Argument(help="A name or a folder.")],
    protocol: Annotated[str | None, typer.Argument(help="Default: the card's.")] = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Say what stands in the way of a fair number, before any training."""
    from harness.cli.data import lint_command

    lint_command(dataset, protocol, plugin, as_json)


@app.command()
def leaderboard(
    text: Annotated[bool, typer.Option("--text", help="Print it.")] = False,
    out: Out = Path("runs"),
    host: Annotated[
        str, typer.Option("--host", help="0.0.0.0 lets other machines see the page.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Of the page.")] = 8501,
    as_json: Json = False,
) -> None:
    """Open the leaderboard in a browser, or print it."""
    from harness.cli.leaderboard import leaderboard_command

    leaderboard_command(text, out, host, port, as_json)


@data.command("check")
def data_check(
    dataset: Annotated[str, typer.Argument(help="A name or a folder.")],
    root: Annotated[Path | None, typer.Option("--root", help="The set's folder.")] = None,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Hold every file against the card; open every image."""
    from harness.cli.data import check_command

    check_command(dataset, root, plugin, as_json)


@data.command("synthesize")
def data_synthesize(
    like: Annotated[str, typer.Option("--like", help="The set to imitate, such as rgbnt201.")],
    out: Annotated[Path, typer.Option("--out", help="A new folder.")],
    seed: Annotated[int, typer.Option("--seed", help="Of everything drawn.")] = 0,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Draw a set with exactly a real one's identities, cameras and counts."""
    from harness.cli.data import synthesize_command

    synthesize_command(like, out, seed, plugin, as_json)
