"""The commands of `harness data`, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import DataPlace, Device, Json, Plugin, group

data = group("Check data sets, draw one, or attach captions.")


_NewFolder = Annotated[Path, typer.Option("--out", help="A new folder.")]
_Drawn = Annotated[int, typer.Option("--seed", help="Of everything drawn.")]


@data.command("check")
def data_check(
    dataset: DataPlace,
    root: Annotated[Path | None, typer.Option("--root", help="The set's folder.")] = None,
    accept_variant: Annotated[
        bool, typer.Option("--accept-variant", help="Another list than the published one is meant.")
    ] = False,
    reread: Annotated[
        bool, typer.Option("--reread", help="Read every byte, whatever is remembered of it.")
    ] = False,
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Hold every file against the card; open every image."""
    from harness.cli.data import check_command

    check_command(dataset, root, accept_variant, reread, plugin, as_json)


@data.command("captions")
def data_captions(
    folder: Annotated[Path, typer.Argument(help="The data set.")],
    source: Annotated[
        list[Path],
        typer.Option("--from", help="A JSON or CSV file, or a folder of them; may be repeated."),
    ],
    plugin: Plugin = None,
    as_json: Json = False,
) -> None:
    """Attach captions to a data set, such as the published ones of IDEA."""
    from harness.cli.captions import captions_command

    captions_command(folder, source, plugin, as_json)


@data.command("synthesize")
def data_synthesize(
    like: Annotated[str, typer.Option("--like", help="The set to imitate, such as rgbnt201.")],
    out: _NewFolder,
    scale: Annotated[
        str, typer.Option("--scale", help="full: all its identities and counts; small: a few.")
    ] = "full",
    seed: _Drawn = 0,
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
    seed: _Drawn = 0,
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
    out: _NewFolder,
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
