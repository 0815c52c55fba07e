"""`harness data train-translator` and `harness data reconstruct`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.base.errors import CheckpointError, DatasetNotFoundError, UnknownNameError
from harness.base.numbers import require_seed
from harness.base.progress import say
from harness.cli.again import print_next
from harness.cli.output import emit, quoted, shown_path
from harness.data.open import open_dataset
from harness.data.reconstruct import Reconstruction, Translate
from harness.spec.plugins import Plugins, load_plugins, load_target
from harness.translate.settings import make_settings


def train_translator_command(
    *,
    dataset: str,
    source: str,
    target: str,
    out: Path,
    size: tuple[int, int],
    epochs: int,
    blocks: int,
    width: int,
    identity_loss: bool,
    seed: int,
    device: str,
    plugin: Sequence[Path] | None,
    as_json: bool,
) -> None:
    """Check everything, train, and say where the weights are."""
    require_seed(seed)
    settings = make_settings(
        source,
        target,
        size=size,
        epochs=epochs,
        blocks=blocks,
        width=width,
        identity=0.5 if identity_loss else 0.0,
    )
    data = open_dataset(dataset, load_plugins(plugin or []))
    from harness.training.device import choose_device
    from harness.translate.training import WEIGHTS, train_translator

    chosen = choose_device(device)
    height, wide = settings.size
    say(
        f"translator  {source} to {target}, {height} x {wide}, {blocks} blocks, width {width}, "
        f"{epochs} epochs, seed {seed}, on {chosen.type}"
    )
    say(f"data        the train split of {data.label} in {data.root}")
    card = train_translator(data, settings, seed, out, chosen)
    weights = out / WEIGHTS
    if as_json:
        emit({"translator": str(weights), "card": card})
        return
    told = "  ".join(f"{name} {value:.4f}" for name, value in card["losses"].items())
    print(f"{shown_path(weights)}: {source} to {target}, losses of the last epoch: {told}")
    place = quoted(shown_path(weights))
    print_next(f"data reconstruct NAME --root FOLDER --translator {place} --out NEW")


def reconstruct_command(
    name: str,
    root: Path,
    out: Path,
    translator: Path | None,
    device: str,
    plugin: Sequence[Path] | None,
    as_json: bool,
) -> None:
    """Find how `name` is made, load the translator if one is needed, and make it."""
    known = _reconstructions(load_plugins(plugin or []))
    if name not in known:
        raise UnknownNameError("reconstruction", name, known)
    how: Reconstruction = load_target(known[name], f"the reconstruction {name}")
    if not root.is_dir():
        raise DatasetNotFoundError(
            seen=f"there is no folder {root}",
            expected=f"the folder of {name} as published",
            do="check the path after --root",
        )
    marker = how.make(root, out, _translator(name, how, translator, device))
    if as_json:
        emit({"out": str(out)} | marker)
        return
    for what, count in marker["counts"].items():
        print(f"{what:<12} {count}")
    print(f"{shown_path(out)}: made from {name} in {root}")


def _reconstructions(plugins: Plugins) -> dict[str, str]:
    """The target of every reconstruction that some data set's loader lists, by name."""
    found: dict[str, str] = {}
    for dataset, info in plugins.datasets.items():
        loader = load_target(info.target, f"the data set {dataset}")
        found |= getattr(loader, "reconstructions", {})
    return found


def _translator(name: str, how: Reconstruction, path: Path | None, device: str) -> Translate | None:
    if how.translation is None:
        if path is None:
            return None
        raise CheckpointError(
            seen=f"--translator {path}",
            expected=f"none: {name} needs no translator",
            do="leave the option out",
        )
    source, target = how.translation
    train = (
        f"harness data train-translator --dataset FOLDER --source {source} --target {target} "
        "--out FOLDER"
    )
    if path is None:
        raise CheckpointError(
            seen=f"no --translator, which {name} needs for {target}",
            expected=f"weights of a translator from {source} to {target}",
            do=train,
        )
    from harness.training.device import choose_device
    from harness.translate.apply import load_translator

    found = load_translator(path, choose_device(device))
    if (found.source, found.target) != how.translation:
        raise CheckpointError(
            seen=f"{path} translates {found.source} to {found.target}",
            expected=f"a translator from {source} to {target}",
            do=train,
        )
    return found
