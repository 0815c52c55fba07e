"""Training a translator on one data set: resumable at every epoch, to the same bits."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.base.accelerator import reference_numerics
from harness.base.errors import TrainingError, UnknownNameError
from harness.base.files import write_json, write_text
from harness.base.hashing import code_digest, derive_seed, digest, file_digest
from harness.base.progress import progress, say
from harness.base.stages import only_one
from harness.data.arrays import ImageArrays, decode
from harness.data.opened import OpenDataset
from harness.evidence.environment import harness_version
from harness.spec.modality import Modality
from harness.training.checkpoint import load_state, save_state, save_weights
from harness.training.weights import read_about
from harness.translate.cyclegan import CycleGAN, make_optimiser, step
from harness.translate.settings import Settings, learning_rate

WEIGHTS = "translator.safetensors"
CARD = "translator.json"
LOG = "train.jsonl"
CHECKPOINT = "checkpoint.safetensors"
KIND = "translator"

# What of this package decides a training's result; applying one does not.
_CODE = ("settings.py", "networks.py", "pool.py", "cyclegan.py", "training.py")


class Unpaired(NamedTuple):
    """The draws of one epoch: for each step a row of each side, and whether it is mirrored."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    flips: NDArray[np.bool_]
    """(steps, 2)."""


def unpaired(
    source: NDArray[np.int64], target: NDArray[np.int64], seed: int, epoch: int
) -> Unpaired:
    """Both sides shuffled apart; each row of the longer side once, the shorter begun again.

    Everything comes from the seed and the epoch's number alone.
    """
    draws = np.random.default_rng(derive_seed("translate", seed, epoch))
    steps = max(len(source), len(target))

    def shuffled(rows: NDArray[np.int64]) -> NDArray[np.int64]:
        rounds = -(-steps // len(rows))
        return np.concatenate([draws.permutation(rows) for _ in range(rounds)])[:steps]

    return Unpaired(shuffled(source), shuffled(target), draws.random((steps, 2)) < 0.5)


def train_translator(
    data: OpenDataset, settings: Settings, seed: int, out: Path, device: torch.device
) -> dict[str, Any]:
    """Train on the train split and write weights, card and log into `out`; return the card.

    A second call with the same inputs does nothing, or goes on after the last whole epoch. The
    result is then that of a training never stopped, bit for bit on one kind of device.

    Raises:
        UnknownNameError: The data set has no such modality.
        DataError: The data set is broken; the first problem found.
        TrainingError: No image of a modality, other inputs in `out`, or a loss that diverged.
        RunBusyError: Another process trains into `out`.
        DiskFullError: No space was left; what was written is whole.
    """
    for modality in (settings.source, settings.target):
        if modality not in data.card.modalities:
            raise UnknownNameError(
                f"modality of {data.card.name}", modality, list(data.card.modalities)
            )
    data.samples("train")
    inputs = _inputs(data, settings, seed, device)
    with only_one(out / ".lock"):
        _refuse_other(out, inputs)
        if (out / WEIGHTS).exists():
            say(f"train-translator: done before with the same inputs, nothing to do ({out})")
        else:
            arrays = decode(data, *settings.size)
            _fit(arrays, settings, seed, out, device, inputs)
        card = read_about(out / WEIGHTS) | {"sha256": file_digest(out / WEIGHTS)}
        write_json(out / CARD, card)
        (out / CHECKPOINT).unlink(missing_ok=True)
    return card


def _inputs(
    data: OpenDataset, settings: Settings, seed: int, device: torch.device
) -> dict[str, Any]:
    """Everything that decides the weights, and what to call the data."""
    return {
        "settings": settings.model_dump(mode="json"),
        "seed": seed,
        "data": {"label": data.label, "data_hash": data.data_hash, "split": "train"},
        "device": device.type,
        "code": code_digest([Path(__file__).with_name(name) for name in _CODE]),
    }


def _refuse_other(out: Path, inputs: dict[str, Any]) -> None:
    """Keep what other inputs made: it may have taken a GPU a day."""
    for name in (WEIGHTS, CHECKPOINT):
        path = out / name
        if not path.exists():
            continue
        before = read_about(path).get("inputs", {})
        changed = [k for k, v in inputs.items() if before.get(k) != v]
        if changed:
            raise TrainingError(
                seen=f"{path} was made with another {', another '.join(changed)}",
                expected="an empty folder, or one of the same inputs to go on in",
                do=f"name another folder with --out, or remove this one: rm -r {out}",
            )


def _fit(
    arrays: ImageArrays,
    settings: Settings,
    seed: int,
    out: Path,
    device: torch.device,
    inputs: dict[str, Any],
) -> None:
    sides = (settings.source, settings.target)
    source, target = (_rows(arrays, m) for m in sides)
    gan = CycleGAN(settings, derive_seed("translate-weights", seed)).to(device).train()
    optimiser = make_optimiser(gan)
    log: list[dict[str, Any]] = []
    if (out / CHECKPOINT).exists():
        log = load_state(out / CHECKPOINT, gan, optimiser)["log"]
        say(f"train-translator: going on after epoch {len(log)}")
    for epoch in range(len(log), settings.epochs):
        rate = learning_rate(settings.learning_rate, epoch, settings.epochs)
        for group in optimiser.param_groups:
            group["lr"] = rate
        plan = unpaired(source, target, seed, epoch)
        draws = np.random.default_rng(derive_seed("translate-pool", seed, epoch))
        row = _epoch(gan, optimiser, arrays, plan, draws, f"epoch {epoch + 1}/{settings.epochs}")
        log.append({"epoch": epoch + 1, "lr": rate, **row})
        save_state(out / CHECKPOINT, gan, optimiser, {"inputs": inputs, "log": log})
    write_text(out / LOG, "".join(json.dumps(r) + "\n" for r in log))
    about = {
        "kind": KIND,
        "format": 1,
        "inputs_hash": digest(inputs),
        "inputs": inputs,
        "samples": {m: len(_rows(arrays, m)) for m in sides},
        "losses": log[-1]["losses"],
        "harness_version": harness_version(),
    }
    save_weights(out / WEIGHTS, gan.to_target, about)


def _epoch(
    gan: CycleGAN,
    optimiser: torch.optim.Optimizer,
    arrays: ImageArrays,
    plan: Unpaired,
    draws: np.random.Generator,
    label: str,
) -> dict[str, Any]:
    """Train on every step of the plan; the mean of each loss and the time it took."""
    started, steps = time.monotonic(), len(plan.flips)
    device = next(gan.parameters()).device
    sums: dict[str, Tensor] = {}
    with reference_numerics(), progress(label, steps, " steps", summary=False) as advance:
        for row_a, row_b, flip in zip(*plan, strict=True):
            source = _image(arrays, int(row_a), gan.settings.source, bool(flip[0])).to(device)
            target = _image(arrays, int(row_b), gan.settings.target, bool(flip[1])).to(device)
            for name, term in step(gan, optimiser, source, target, draws).items():
                # Kept on the device: asking for the number would wait for the GPU every step.
                sums[name] = sums.get(name, torch.zeros((), device=device)) + term
            advance(1)
    losses = {name: float(total) / steps for name, total in sums.items()}
    _require_finite(losses, label)
    seconds = round(time.monotonic() - started, 3)
    told = "  ".join(f"{name} {value:.4f}" for name, value in losses.items())
    say(f"{label}  {told}  {steps} steps in {seconds:.1f} s")
    return {"steps": steps, "losses": losses, "seconds": seconds}


def _require_finite(losses: dict[str, float], label: str) -> None:
    for name, value in losses.items():
        if not np.isfinite(value):
            raise TrainingError(
                seen=f"the loss {name!r} became {value} in {label}",
                expected="finite losses",
                do="run the same command again to go on from the epoch before; if it happens "
                "again, take another --seed",
            )


def _rows(arrays: ImageArrays, modality: Modality) -> NDArray[np.int64]:
    train = arrays.rows["train"]
    rows: NDArray[np.int64] = train[arrays.present[train, arrays.axis(modality)]]
    if not rows.size:
        raise TrainingError(
            seen=f"no train sample has an image in {modality}",
            expected="at least one image of both modalities",
            do="look at what is there: harness data check FOLDER",
        )
    return rows


def _image(arrays: ImageArrays, row: int, modality: Modality, mirrored: bool) -> Tensor:
    """One image as (1, 3, h, w) in -1..1."""
    pixels = torch.from_numpy(arrays.images[row, arrays.axis(modality)].copy())
    image = to_range(pixels)
    return image.flip(-1) if mirrored else image


def to_range(pixels: Tensor) -> Tensor:
    """(h, w, 3) uint8 as (1, 3, h, w) float32 in -1..1."""
    return pixels.permute(2, 0, 1)[None].to(torch.float32).div(127.5).sub(1).contiguous()
