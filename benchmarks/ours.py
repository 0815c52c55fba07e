"""Our training and loading, as work for a worker process."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import nn

    from harness.spec.method import Batch
    from harness.training.loop import Training

VARIANTS: dict[str, tuple[str, ...]] = {
    "exact": (),
    "fast": ("mode=fast", "precision=bf16"),
    "fast, float32": ("mode=fast", "precision=float32"),
}
"""What to change in the published recipe, by the name that tables show."""


class Shop(NamedTuple):
    """A training as a run would have it, and its model."""

    training: Training
    model: nn.Module


def step(
    root: str,
    variant: str,
    threads: int,
    device: str = "cpu",
    identities: int = 2,
    method: str = "ieee",
) -> Callable[..., dict[str, Any]]:
    """The step of the training loop on one batch of a drawn set, `count` times a round.

    With `flops=True` it also counts the operations of a step.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from harness.training.loop import take_step
    from harness.training.mode import compiled
    from harness.training.optimiser import make_optimiser
    from harness.training.steps import Steps, recorder

    sampled = (f"sampler.identities={identities}", "sampler.instances=4")
    shop = prepared(root, variant, threads, device, sampled, method)
    training, model = shop
    recorded = recorder(torch.device(device)) is not None
    optimiser = make_optimiser(training.recipe.optimiser, model, recorded=recorded)
    batch = first_batch(training)
    model.train()

    def go() -> None:
        take_step(training, model, optimiser, batch)

    with_graphs = compiled(model, training.recipe, torch.device(device), go)
    if device != "cpu":
        torch.cuda.set_stream(torch.cuda.Stream())
    steps = Steps(
        lambda one: take_step(training, model, optimiser, one),
        lambda: optimiser.zero_grad(set_to_none=True),
        recorder(torch.device(device)),
    )

    def work(count: int = 1, flops: bool = False) -> dict[str, Any]:
        if flops:
            with FlopCounterMode(display=False) as counter:
                go()
            return {"flops": counter.get_total_flops(), "compiled": with_graphs}
        for _ in range(count):
            steps(batch)
        if device != "cpu":
            torch.cuda.synchronize()
        return {"images": len(batch.pids)}

    return work


def epoch(root: str, variant: str, threads: int) -> Callable[..., dict[str, Any]]:
    """One epoch of the training loop, loading and its log included.

    With `flops=True` it also counts the operations of its steps together.
    """
    from torch.utils.flop_counter import FlopCounterMode

    from harness.training.loop import train

    training, model = prepared(root, variant, threads)

    def work(flops: bool = False) -> dict[str, Any]:
        counter = FlopCounterMode(display=False) if flops else contextlib.nullcontext()
        with counter:
            steps = train(training, model)[-1]["steps"]
        counted = counter.get_total_flops() if isinstance(counter, FlopCounterMode) else None
        return {"steps": steps, "flops": counted}

    return work


def loading(root: str, variant: str, threads: int, device: str = "cpu") -> Callable[[], int]:
    """The batches of an epoch as the method sees them, without the method."""
    import torch

    training = prepared(root, variant, threads, device).training
    drawn = torch.Generator().manual_seed(0)

    def work() -> int:
        plan = _plan(training)
        rows, labels = ([of[chosen] for chosen in plan] for of in (training.rows, training.labels))
        batches = training.batches.epoch(rows, labels, training.modalities, drawn)
        count = sum(len(batch.pids) for batch in batches)
        if device != "cpu":
            torch.cuda.synchronize()
        return count

    return work


def pixels(root: str, threads: int, decoding: bool) -> Callable[[], int]:
    """The pixels of an epoch as bytes: out of the array, or decoded and resized by PIL."""
    from harness.data.arrays import resized
    from harness.data.images import read_image
    from harness.data.open import open_dataset
    from harness.spec.plugins import load_plugins

    training = prepared(root, "exact", threads).training
    samples = open_dataset(root, load_plugins()).samples("train")
    axes = [training.batches.arrays.axis(m) for m in training.modalities]

    def mapped() -> int:
        plan = [training.rows[chosen] for chosen in _plan(training)]
        return sum(len(taken[0]) for taken in training.batches.pixels.stream(plan, axes))

    def decoded() -> int:
        chosen = [sample for batch in _plan(training) for sample in batch]
        for sample in chosen:
            for path in samples[sample].paths.values():
                resized(read_image(path), 256, 128)
        return len(chosen)

    return decoded if decoding else mapped


def bare(root: str, threads: int, device: str, identities: int) -> Callable[[], dict[str, Any]]:
    """Three ResNet-50 alone, as `fast` runs them: forward, backward and nothing else."""
    import torch

    from harness.training.backbone import feature_backbone
    from harness.training.mode import compiled, computing, memory_format

    shop = prepared(root, "fast", threads, device, (f"sampler.identities={identities}",))
    training, recipe = shop.training, shop.training.recipe
    batch = first_batch(training)
    three = torch.nn.ModuleDict({m: feature_backbone("resnet50") for m in training.modalities})
    three = three.to(device).to(memory_format=memory_format(recipe)).train()
    for network in three.values():
        compiled(network, recipe, torch.device(device), lambda: None)

    def work(count: int = 1) -> dict[str, Any]:
        for _ in range(count):
            with computing(recipe, torch.device(device)):
                maps = [three[m](batch.images[m]) for m in training.modalities]
            torch.stack([one.float().mean() for one in maps]).sum().backward()  # type: ignore[no-untyped-call]
            three.zero_grad(set_to_none=True)
        if device != "cpu":
            torch.cuda.synchronize()
        return {"images": len(batch.pids)}

    return work


def prepared(
    root: str,
    variant: str,
    threads: int,
    device: str = "cpu",
    more: Sequence[str] = (),
    method: str = "ieee",
) -> Shop:
    """The published recipe for one epoch on a drawn set; the images are decoded here."""
    import numpy as np
    import torch

    from harness.runs.plan import plan_run
    from harness.runs.workshop import open_workshop
    from harness.training.loop import Training

    torch.set_num_threads(threads)
    # Beside the drawn set, and gone with it; the user's cache keeps nothing of this.
    beside = Path(root).parent
    os.environ["HARNESS_CACHE"] = str(beside / "cache")
    changes = ["epochs=1", "pretrained=none", *VARIANTS[variant], *more]
    plan = plan_run(method, dataset=root, recipe="rgbnt201", changes=changes, device=device)
    shop = open_workshop(plan, torch.device(device))
    samples = plan.data.samples(plan.protocol.train_split)
    known = {pid: i for i, pid in enumerate(sorted({s.pid for s in samples}))}
    training = Training(
        method=shop.method,
        recipe=plan.resolved.recipe,
        seed=0,
        batches=shop.batches,
        rows=shop.arrays.rows[plan.protocol.train_split],
        labels=np.array([known[s.pid] for s in samples], dtype=np.int64),
        modalities=plan.modalities("train"),
        folder=Path(tempfile.mkdtemp(dir=beside)),
        key="bench",
    )
    torch.manual_seed(0)
    return Shop(training, shop.build("none"))


def first_batch(training: Training) -> Batch:
    """The first augmented batch of the plan."""
    import torch

    chosen = _plan(training)[0]
    drawn = torch.Generator().manual_seed(0)
    rows, labels = training.rows[chosen], training.labels[chosen]
    return training.batches.training(rows, labels, training.modalities, drawn)


def _plan(training: Training) -> list[Any]:
    from harness.training.sampler import identity_batches

    sampler = training.recipe.sampler
    return identity_batches(training.labels, sampler.identities, sampler.instances, 0, 0)
