"""The one training loop: identity batches in, a trained model out, resumable at every step."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from harness.base.errors import Stopped, TrainingError
from harness.base.files import write_text
from harness.base.hashing import derive_seed
from harness.base.parallel import is_main
from harness.base.progress import progress
from harness.spec.method import Batch, Method
from harness.spec.modality import Modality
from harness.spec.recipe import Recipe
from harness.training.batches import Batches
from harness.training.device import own_stream, settle
from harness.training.log import Notes, discard_progress, epoch_row, note_progress, report
from harness.training.mode import compiled, computing, uncompiled
from harness.training.optimiser import make_optimiser
from harness.training.resume import CHECKPOINT, Checkpoint, Place
from harness.training.sampler import identity_batches
from harness.training.schedule import learning_rate
from harness.training.shared import average_gradients, same_everywhere, shared
from harness.training.steps import Steps, noticing, recorder
from harness.training.stopping import Asked, asked_to_stop
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
    was cut off and goes on gives the weights of one that was not. Asked to stop by SIGUSR2 or
    SIGTERM, it saves everything after the step that it is in; killed, it loses what came after
    the last checkpoint: an epoch, or where that is more, `_PATIENCE` times what saving takes.

    Raises:
        TrainingError: The loss became NaN or infinite, or there are too few identities.
        Stopped: It was asked to stop.
    """
    with own_stream(training.batches.device):
        log = _train(training, model)
    if is_main():
        write_text(training.folder / "train.jsonl", "".join(json.dumps(r) + "\n" for r in log))
    return log


def _train(training: Training, model: nn.Module) -> list[dict[str, Any]]:
    recipe, device = training.recipe, training.batches.device
    seen = shared(model, recipe)
    scales = _lr_scales(training.method, model)
    record = recorder(device)
    optimiser = make_optimiser(recipe.optimiser, model, scales, recorded=record is not None)
    kept = Checkpoint(training.folder, training.key, model, optimiser, device)
    place = kept.resume()
    log = place.log
    notes = _compiling(training, model)
    steps = Steps(
        lambda batch: take_step(training, seen, optimiser, batch),
        lambda: optimiser.zero_grad(set_to_none=True),
        record,
    )
    saved_at, saving = time.monotonic(), 0.0
    with asked_to_stop() as asked:
        for epoch in range(place.epoch, recipe.epochs):
            log.append(_epoch(training, kept, steps, epoch, notes, place, asked))
            report(log[-1], recipe)
            note_progress(training.folder, log, recipe)
            now = time.monotonic()
            waited = now - saved_at > _PATIENCE * saving
            if is_main() and waited and epoch + 1 < recipe.epochs:
                kept.save(epoch + 1, log)
                saved_at = time.monotonic()
                saving = saved_at - now
    uncompiled(model)
    return log


def _epoch(
    training: Training,
    kept: Checkpoint,
    steps: Steps,
    epoch: int,
    notes: Notes,
    place: Place,
    asked: Asked,
) -> dict[str, Any]:
    """Train an epoch and give its row, whose seconds are what a user waited for it."""
    recipe, model, optimiser = training.recipe, kept.model, kept.optimiser
    started = time.monotonic()
    about = (recipe.schedule, recipe.optimiser.lr, epoch, recipe.epochs)
    rates = [learning_rate(*about, group["scale"]) for group in optimiser.param_groups]
    before = [group["lr"] for group in optimiser.param_groups]
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate
    torch.manual_seed(derive_seed("model", training.seed, epoch))
    model.train()
    start_epoch = getattr(training.method, "start_epoch", None)
    if start_epoch is not None:
        start_epoch(model, epoch)
    steps.start_epoch(epoch, changed=rates != before or start_epoch is not None)
    done = place.step if epoch == place.epoch else 0
    if done:
        kept.go_on_within(place, steps)
    count, batches = _batches(training, epoch)
    label = f"epoch {epoch + 1}/{recipe.epochs}"
    with noticing() as warned, progress(label, count, " steps", summary=False) as advance:
        advance(done)
        for batch in islice(batches, done, None):
            steps(batch)
            advance(1)
            done += 1
            number = asked.of_any()
            if number:
                kept.save_within(Place(epoch, done, place.log, {}), steps)
                raise Stopped(number, f"step {done} of {count} in epoch {epoch + 1}")
    same_everywhere(model)
    losses = steps.losses()
    settle(training.batches.device)
    row = epoch_row(epoch, learning_rate(*about), losses, count, time.monotonic() - started)
    return row | notes.of_epoch(steps, warned)


def _batches(training: Training, epoch: int) -> tuple[int, Iterator[Batch]]:
    """How many batches an epoch has, and they."""
    sampler = training.recipe.sampler
    plan = identity_batches(
        training.labels, sampler.identities, sampler.instances, training.seed, epoch
    )
    rows = [training.rows[chosen] for chosen in plan]
    labels = [training.labels[chosen] for chosen in plan]
    augment = torch.Generator().manual_seed(derive_seed("augment", training.seed, epoch))
    return len(plan), training.batches.epoch(rows, labels, training.modalities, augment)


def _compiling(training: Training, model: nn.Module) -> Notes:
    began, notes = time.monotonic(), Notes()
    recipe, device = training.recipe, training.batches.device
    notes.compiled = compiled(model, recipe, device, lambda: _trial(training, model), notes.because)
    settle(device)
    if notes.compiled or notes.because:
        notes.compiling = time.monotonic() - began
    return notes


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
    (folder / CHECKPOINT).unlink(missing_ok=True)
    discard_progress(folder)


def _lr_scales(method: Method, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
    found = getattr(method, "lr_scales", None)
    return [] if found is None else list(found(model))
