"""The learning rate of each epoch, as a plain function."""

from __future__ import annotations

import math

from harness.spec.recipe import Schedule


def learning_rate(schedule: Schedule, base: float, epoch: int, epochs: int) -> float:
    """The rate used in an epoch (0-based) of `epochs`.

    `steps` multiplies step by step, as torch's MultiStepLR does, so that the digits are the
    same: 1e-3 * 0.1 * 0.1 is not 1e-5 in floating point. `cosine` falls from the base towards
    zero, reached after the last epoch.
    """
    if epoch < schedule.warmup_epochs:
        return base * (0.1 + 0.9 * epoch / schedule.warmup_epochs)
    if schedule.kind == "steps":
        rate = base
        for _ in range(sum(epoch >= m for m in schedule.milestones)):
            rate *= schedule.gamma
        return rate
    if schedule.kind == "cosine":
        return base * (1 + math.cos(math.pi * epoch / epochs)) / 2
    return base
