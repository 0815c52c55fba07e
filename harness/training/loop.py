"""The one training loop: identity batches in, a trained model out, resumable at every epoch."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from harness.base.errors import TrainingError
from harness.base.files import write_text
from harness.base.hashing import derive_seed
from harness.base.parallel import is_main, on_main
from harness.base.progress import progress, say
from harness.spec.method import Batch, Method
from harness.spec.modality import Modality
from harness.spec.recipe import Recipe
from harness.training.batches import Batches
from harness.training.checkpoint import load_state, save_state
from harness.training.losses import Losses
from harness.training.mode import compiled, computing, uncompiled
from harness.training.optimiser import make_optimiser
from harness.training.sampler import identity_batches
from harness.training.schedule import learning_rate
from harness.training.shared import average_gradients, same_everywhere, shared
from harness.training.weights import first_line

# A checkpoint of IEEE is 0.9 GB, one of a small method is written in no time: saving waits until
# the training since the last one has taken this many times as long as the saving did.
_PATIENCE = 20.0


@dataclass(frozen=True)
class Training:
    """Everything a training needs; a method's own `train(training, model)` gets the same."""

    method: Method
    recipe: Recipe
    seed: int
    batches: Batches
    rows: NDArray[np.int64]
    """(n,) rows of the train images in the array."""
    labels: NDArray[np.int64]
    """(n,) their identities, 0..classes-1."""
    modalities: tuple[Modality, ...]
    folder: Path
    """Where the checkpoint and the log are kept."""
    key: str
    """The hash of everything that decides the result; a checkpoint of another is not used."""


def train(training: Training, model: nn.Module) -> list[dict[str, Any]]:
    """Train in place and return the log, one row an epoch.

    Every draw of an epoch comes from the seed and the epoch's number alone, so a training that
    was cut off and goes on gives the weights of one that was not.

    Raises:
        TrainingError: The loss became NaN or infinite, or there are too few identities.
    """
    recipe, device = training.recipe, training.batches.device
    seen = shared(model, recipe)
    optimiser = make_optimiser(recipe.optimiser, model, _lr_scales(training.method, model))
    start_epoch = getattr(training.method, "start_epoch", None)
    first, log = _resume(training, model, optimiser)
    graphs = compiled(model, recipe, device, lambda: _trial(training, model))
    saved_at, saving = time.monotonic(), 0.0
    for epoch in range(first, recipe.epochs):
        started = time.monotonic()
        rate = learning_rate(recipe.schedule, recipe.optimiser.lr, epoch, recipe.epochs)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(
                recipe.schedule, recipe.optimiser.lr, epoch, recipe.epochs, group["scale"]
            )
        torch.manual_seed(derive_seed("model", training.seed, epoch))
        augment = torch.Generator().manual_seed(derive_seed("augment", training.seed, epoch))
        model.train()
        if start_epoch is not None:
            start_epoch(model, epoch)
        losses = Losses(device, epoch)
        plan = identity_batches(
            training.labels,
            recipe.sampler.identities,
            recipe.sampler.instances,
            training.seed,
            epoch,
        )
        batches = training.batches.epoch(
            [training.rows[chosen] for chosen in plan],
            [training.labels[chosen] for chosen in plan],
            training.modalities,
            augment,
        )
        label = f"epoch {epoch + 1}/{recipe.epochs}"
        with progress(label, len(plan), " steps", summary=False) as advance:
            for batch in batches:
                losses.add(take_step(training, seen, optimiser, batch))
                advance(1)
        same_everywhere(model)
        row = _row(epoch, rate, losses.means(), len(plan), time.monotonic() - started)
        row |= {"compiled": True} if graphs else {}
        log.append(row)
        _report(row, recipe)
        now = time.monotonic()
        waited = now - saved_at > _PATIENCE * saving
        if is_main() and waited and epoch + 1 < recipe.epochs:
            about = {"key": training.key, "epoch": epoch + 1, "log": log}
            save_state(_checkpoint(training), model, optimiser, about)
            saved_at = time.monotonic()
            saving = saved_at - now
    uncompiled(model)
    if is_main():
        write_text(training.folder / "train.jsonl", "".join(json.dumps(r) + "\n" for r in log))
    return log


def take_step(
    training: Training, model: nn.Module, optimiser: torch.optim.Optimizer, batch: Batch
) -> dict[str, torch.Tensor]:
    """One batch forward and back and one update; the terms of the loss, on the device."""
    terms = _backward(training, model, batch)
    average_gradients(model)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return terms


def _backward(training: Training, model: nn.Module, batch: Batch) -> dict[str, torch.Tensor]:
    with computing(training.recipe, training.batches.device):
        terms = loss_terms(training.method, model, batch)
    total_loss(terms).backward()  # type: ignore[no-untyped-call]
    return {name: term.detach() for name, term in terms.items()}


def _trial(training: Training, model: nn.Module) -> None:
    """A first batch forward and back, for finding out whether that works."""
    sampler = training.recipe.sampler
    first = identity_batches(
        training.labels, sampler.identities, sampler.instances, training.seed, 0
    )[0]
    drawn = torch.Generator().manual_seed(0)
    model.train()
    batch = training.batches.training(
        training.rows[first], training.labels[first], training.modalities, drawn
    )
    _backward(training, model, batch)


def loss_terms(method: Method, model: nn.Module, batch: Batch) -> dict[str, torch.Tensor]:
    """The terms of a method's loss for a batch.

    Raises:
        TrainingError: A batch of one image, which batch normalisation cannot take.
    """
    try:
        return method.loss(model, batch)
    except ValueError as error:
        # What torch's batch normalisation raises; larger batches fail for reasons of their own.
        if len(batch.pids) > 1:
            raise
        raise TrainingError(
            seen=f"a batch of one image, which this method cannot learn from: {first_line(error)}",
            expected="batches of two or more images",
            do="--set sampler.instances=2, or more identities",
        ) from error


def total_loss(terms: dict[str, torch.Tensor]) -> torch.Tensor:
    """The sum of a method's loss terms.

    Raises:
        TrainingError: A term is not a scalar.
    """
    for name, term in terms.items():
        if term.ndim != 0:
            raise TrainingError(
                seen=f"the loss term {name!r} has shape {tuple(term.shape)}",
                expected="scalars, each summed or averaged over the batch",
                do="reduce the term in the method's loss()",
            )
    return torch.stack([t.float() for t in terms.values()]).sum()


def discard_checkpoint(folder: Path) -> None:
    """Remove the checkpoint once the weights are safe."""
    (folder / "checkpoint.safetensors").unlink(missing_ok=True)


def _lr_scales(method: Method, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
    found = getattr(method, "lr_scales", None)
    return [] if found is None else list(found(model))


def _checkpoint(training: Training) -> Path:
    return training.folder / "checkpoint.safetensors"


def _resume(
    training: Training, model: nn.Module, optimiser: torch.optim.Optimizer
) -> tuple[int, list[dict[str, Any]]]:
    path = _checkpoint(training)
    about = on_main(lambda: _about(path) if path.exists() else None)
    if about is None:
        return 0, []
    if about.get("key") != training.key:
        say("train: a checkpoint of other inputs is there and not used")
        return 0, []
    load_state(path, model, optimiser)
    say(f"train: going on after epoch {about['epoch']}")
    return int(about["epoch"]), list(about["log"])


def _about(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            found: dict[str, Any] = json.loads(file.metadata()["about"])
            return found
    except (SafetensorError, OSError, KeyError, ValueError):
        return {}


def _row(
    epoch: int, rate: float, losses: dict[str, float], steps: int, seconds: float
) -> dict[str, Any]:
    return {
        "epoch": epoch + 1,
        "lr": rate,
        "steps": steps,
        "losses": losses,
        "seconds": round(seconds, 3),
    }


def _report(row: dict[str, Any], recipe: Recipe) -> None:
    terms = "  ".join(f"{name} {value:.4f}" for name, value in row["losses"].items())
    say(
        f"epoch {row['epoch']:>3}/{recipe.epochs}  lr {row['lr']:.1e}  {terms}  "
        f"{row['steps']} steps in {row['seconds']:.1f} s"
    )
