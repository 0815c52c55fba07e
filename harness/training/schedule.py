"""The learning rate of each epoch, as a plain function."""

from __future__ import annotations

import math
from functools import cache

import torch

from harness.spec.recipe import Schedule

# timm's scheduler: the seed its draws start from, and the size from which one is drawn again.
_NOISE_SEED, _NOISE_LIMIT = 42, 0.67


def learning_rate(
    schedule: Schedule, base: float, epoch: int, epochs: int, scale: float = 1.0
) -> float:
    """The rate used in an epoch (0-based) of `epochs`.

    `steps` multiplies step by step, as torch's MultiStepLR does, so that the digits are the
    same: 1e-3 * 0.1 * 0.1 is not 1e-5 in floating point. `cosine` falls from the base towards
    zero, reached after the last epoch. Both are scaled as a whole; `cosine_to_floor` starts and
    ends at the same rate whatever the scale, see `_to_floor`.

    Args:
        schedule: Of the recipe.
        base: The recipe's rate.
        epoch: Counted from 0.
        epochs: Of the whole training.
        scale: A group of parameters learns at so many times the base.
    """
    if schedule.kind == "cosine_to_floor":
        rate = _to_floor(schedule, base, base * scale, epoch + 1, epochs)
        last = epoch + 1 == epochs
        return rate if schedule.noise == "none" or last else rate + rate * _noise(epoch + 1)
    return _relative(schedule, base, epoch, epochs) * scale


def _relative(schedule: Schedule, base: float, epoch: int, epochs: int) -> float:
    if epoch < schedule.warmup_epochs:
        start = schedule.warmup_start
        return base * (start + (1 - start) * epoch / schedule.warmup_epochs)
    if schedule.kind == "steps":
        rate = base
        for _ in range(sum(epoch >= m for m in schedule.milestones)):
            rate *= schedule.gamma
        return rate
    if schedule.kind == "cosine":
        return base * (1 + math.cos(math.pi * epoch / epochs)) / 2
    return base


def _to_floor(schedule: Schedule, base: float, peak: float, t: int, epochs: int) -> float:
    """The cosine of TransReID's scheduler, which most transformer methods of the field took over.

    Epochs count from 1, and the cosine from the first of them, so that after the warm-up it is
    below its peak already. The first rate and the last are parts of the base: a group whose peak
    is lower than where the warm-up starts cools down in it.
    """
    if t < schedule.warmup_epochs:
        start = schedule.warmup_start * base
        return start + t * (peak - start) / schedule.warmup_epochs
    floor = schedule.floor * base
    if t == epochs:
        return floor
    return floor + 0.5 * (peak - floor) * (1 + math.cos(math.pi * t / epochs))


@cache
def _noise(t: int) -> float:
    """What timm's scheduler adds to an epoch's rate, as a part of it; the same in every run."""
    draws = torch.Generator().manual_seed(_NOISE_SEED + t)
    while True:
        drawn = float(torch.randn(1, generator=draws))
        if abs(drawn) < _NOISE_LIMIT:
            return drawn
