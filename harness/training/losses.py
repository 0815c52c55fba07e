"""The losses of an epoch, added up on the device; one that is no number stops the training."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from harness.base.errors import TrainingError


class Losses:
    """The sum of each term over an epoch's steps, and since when one is no number.

    A CPU is asked after every step, so that the training stops at the step where the number
    appears. Asking a GPU would wait for it every time: there the steps are counted on the device,
    and the count is read when the epoch ends, before anything is saved.
    """

    def __init__(self) -> None:
        self._epoch = self._steps = 0
        # Kept from epoch to epoch and changed in place: recorded steps add to this very memory.
        self._sums: dict[str, Tensor] = {}
        # What is once NaN or infinite stays so in a sum: the steps since then are its length.
        self._lost: dict[str, Tensor] = {}

    def start_epoch(self, epoch: int) -> None:
        """Begin to sum anew.

        Args:
            epoch: Counted from 0.
        """
        self._epoch, self._steps = epoch, 0
        for kept in (*self._sums.values(), *self._lost.values()):
            kept.zero_()

    def go_on(self, sums: Mapping[str, float], steps: int, device: torch.device) -> None:
        """Take the sums of the epoch's first steps, which another process took, as `sums` gave."""
        self._steps = steps
        for name, total in sums.items():
            self._sums[name] = torch.tensor(total, device=device, dtype=torch.float32)
            self._lost[name] = torch.zeros((), device=device)

    def sums(self) -> dict[str, float]:
        """Each term's sum over the epoch's steps so far; waits for the device, once.

        Raises:
            TrainingError: One is NaN or infinite.
        """
        return self._stop_if_lost()

    def add(self, terms: Mapping[str, Tensor]) -> None:
        """Add the terms of one step, on their device alone; `stepped` is to follow."""
        for name, term in terms.items():
            if name not in self._sums:
                self._sums[name] = torch.zeros((), device=term.device)
                self._lost[name] = torch.zeros((), device=term.device)
            self._sums[name] += term
        for name, total in self._sums.items():
            self._lost[name] += ~total.isfinite()

    def stepped(self) -> None:
        """Count a step whose terms were added.

        Raises:
            TrainingError: On a CPU, one is NaN or infinite.
        """
        self._steps += 1
        if all(count.device.type == "cpu" for count in self._lost.values()):
            self._stop_if_lost()

    def means(self) -> dict[str, float]:
        """Each term's sum over the number of steps; waits for the device, once.

        Raises:
            TrainingError: One is NaN or infinite.
        """
        return {name: total / self._steps for name, total in self._stop_if_lost().items()}

    def _stop_if_lost(self) -> dict[str, float]:
        """The sums, if all are numbers."""
        if not self._sums:
            return {}
        kept = torch.stack([*self._sums.values(), *self._lost.values()]).double().cpu().tolist()
        sums = dict(zip(self._sums, kept[: len(self._sums)], strict=True))
        lost = dict(zip(self._lost, kept[len(self._sums) :], strict=True))
        name = max(lost, key=lambda n: lost[n])
        if not lost[name]:
            return sums
        step = self._steps - int(lost[name]) + 1
        raise TrainingError(
            seen=f"the loss term {name!r} became {sums[name]} in epoch {self._epoch + 1}, "
            f"step {step}",
            expected="finite losses",
            do="lower the rate (--set optimiser.lr=...) or start lower (schedule.warmup_start), "
            "take larger batches (sampler.identities), and in mode fast train in float32 (--set "
            "precision=float32); the last checkpoint stays as it was",
        )
