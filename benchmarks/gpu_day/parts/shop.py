"""A training of any method as a run would have it, for stepping by hand."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.gpu_day.parts.common import TINY

if TYPE_CHECKING:
    from harness.spec.method import Batch

State = dict[str, torch.Tensor]


def small(method: str) -> list[str]:
    """Changes that keep a method's check short, where its options allow that."""
    return ["backbone=resnet18"] if TINY and has_backbone(method) else []


def has_backbone(method: str) -> bool:
    """Whether the method's backbone can be chosen."""
    from harness.spec.plugins import load_plugins

    return "backbone" in load_plugins().method(method).config.model_fields


class Shop:
    """The method's model and its batches on a device, at the same start for the same words.

    Args:
        method: Its name.
        where: The device.
        changes: Of its recipe.
        seed: Of the weights and of everything drawn.
        dataset: A name or a folder; None is the embedded set.
        recipe: A name; None is the data set's.
    """

    def __init__(
        self,
        method: str,
        where: str | torch.device,
        changes: Sequence[str] = (),
        seed: int = 0,
        dataset: str | None = None,
        recipe: str | None = None,
    ) -> None:
        from harness.runs.plan import plan_run
        from harness.runs.workshop import open_workshop
        from harness.training.loop import Training

        words = ["pretrained=none", "epochs=1", *small(method), *changes]
        # The recipe is settled for the CPU, so that a machine without a GPU plans alike.
        self.plan = plan = plan_run(
            method, dataset=dataset, recipe=recipe, changes=words, device="cpu"
        )
        self.device = torch.device(where)
        self.shop = shop = open_workshop(plan, self.device)
        samples = plan.data.samples(plan.protocol.train_split)
        known = {pid: i for i, pid in enumerate(sorted({s.pid for s in samples}))}
        self.method, self.recipe = shop.method, plan.resolved.recipe
        self.training = Training(
            method=shop.method,
            recipe=self.recipe,
            seed=seed,
            batches=shop.batches,
            rows=shop.arrays.rows[plan.protocol.train_split],
            labels=np.array([known[s.pid] for s in samples], dtype=np.int64),
            modalities=plan.modalities("train"),
            folder=Path(tempfile.mkdtemp()),
            key="gpu-day",
        )
        torch.manual_seed(seed)
        self.model = shop.build("none").train()

    def optimiser(self) -> torch.optim.Optimizer:
        """A new one, as the training loop makes it."""
        from harness.training.optimiser import make_optimiser

        hook = getattr(self.method, "lr_scales", None)
        scales = [] if hook is None else list(hook(self.model))
        return make_optimiser(self.recipe.optimiser, self.model, scales)

    def batches(self, steps: int) -> Iterator[Batch]:
        """`steps` augmented batches, of as many epochs as that takes."""
        from harness.training.sampler import identity_batches

        training, sampler = self.training, self.recipe.sampler
        plan: list[np.ndarray] = []
        epoch = 0
        while len(plan) < steps:
            sizes = (sampler.identities, sampler.instances)
            plan += identity_batches(training.labels, *sizes, training.seed, epoch)
            epoch += 1
        rows, labels = (
            [of[chosen] for chosen in plan[:steps]] for of in (training.rows, training.labels)
        )
        drawn = torch.Generator().manual_seed(training.seed)
        return training.batches.epoch(rows, labels, training.modalities, drawn)

    def start_epoch(self) -> None:
        """What the training loop does before the first epoch."""
        torch.manual_seed(1)
        hook = getattr(self.method, "start_epoch", None)
        if hook is not None:
            hook(self.model, 0)

    def back(self, batch: Batch) -> None:
        """A batch forward and back, without an update."""
        from harness.training.loop import loss_terms, total_loss
        from harness.training.mode import computing

        with computing(self.recipe, self.device):
            terms = loss_terms(self.method, self.model, batch)
        total_loss(terms).backward()  # type: ignore[no-untyped-call]

    def steps(self, count: int) -> list[dict[str, float]]:
        """So many steps of the training loop; the terms of each."""
        from harness.training.loop import take_step

        optimiser = self.optimiser()
        self.start_epoch()
        terms = [take_step(self.training, self.model, optimiser, b) for b in self.batches(count)]
        return [{k: float(v) for k, v in t.items()} for t in terms]

    def state(self) -> State:
        """A copy of weights and buffers on the CPU."""
        return {k: v.detach().cpu().clone() for k, v in self.model.state_dict().items()}


def draws(model: torch.nn.Module) -> bool:
    """Whether the model draws in training, which a GPU does with other numbers than a CPU."""
    found = (p for m in model.modules() for p in (getattr(m, "p", 0), getattr(m, "drop_prob", 0)))
    return any(isinstance(p, float) and p > 0 for p in found)
