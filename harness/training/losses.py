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

    Args:
        device: Of the terms.
        epoch: Counted from 0.
    """

    def __init__(self, device: torch.device, epoch: int) -> None:
        self._nothing = torch.zeros((), device=device)
        self._epoch = epoch
        self._steps = 0
        self._sums: dict[str, Tensor] = {}
        # What is once NaN or infinite stays so in a sum: the steps since then are its length.
        self._lost: dict[str, Tensor] = {}

    def add(self, terms: Mapping[str, Tensor]) -> None:
        """Take the terms of one step.

        Raises:
            TrainingError: On a CPU, one is NaN or infinite.
        """
        self._steps += 1
        for name, term in terms.items():
            self._sums[name] = self._sums.get(name, self._nothing) + term
        for name, total in self._sums.items():
            self._lost[name] = self._lost.get(name, self._nothing) + ~total.isfinite()
        if self._nothing.device.type == "cpu":
            self._stop_if_lost()

    def means(self) -> dict[str, float]:
        """Each term's sum over the number of steps.

        Raises:
            TrainingError: One is NaN or infinite.
        """
        self._stop_if_lost()
        return {name: float(total) / self._steps for name, total in self._sums.items()}

    def _stop_if_lost(self) -> None:
        lost = {name: int(count) for name, count in self._lost.items()}
        name = max(lost, key=lambda n: lost[n], default="")
        if not lost.get(name):
            return
        step = self._steps - lost[name] + 1
        raise TrainingError(
            seen=f"the loss term {name!r} became {float(self._sums[name])} in epoch "
            f"{self._epoch + 1}, step {step}",
            expected="finite losses",
            do="lower the rate (--set optimiser.lr=...) or start lower (schedule.warmup_start), "
            "take larger batches (sampler.identities), and in mode fast train in float32 (--set "
            "precision=float32); the last checkpoint stays as it was",
        )
