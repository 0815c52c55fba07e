"""Two or more things timed in turns, and how their times spread."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

Task = Callable[[], float]
"""Does something once and says how long it took, in seconds, or how much it needed."""


class Spread(NamedTuple):
    """The median of some values, and the least and the largest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def scaled(self, factor: float) -> Spread:
        """The same in another unit."""
        return Spread(self.median * factor, self.low * factor, self.high * factor)


def timed(work: Callable[[], object]) -> Task:
    """A task of this process that does `work` and says how many seconds it took."""

    def task() -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return task


def interleaved(repeats: int, *tasks: Task) -> list[list[float]]:
    """What each task says, `repeats` times, taken in turns.

    A slow minute of the machine hits all alike. The order changes from round to round, begins
    with others and goes backwards in every second, so that none always follows the same neighbour.

    Returns:
        One list of `repeats` values for each task, in the order of the rounds: the values at the
        same place of two lists are of the same round.
    """
    found: list[list[float]] = [[0.0] * repeats for _ in tasks]
    for number in range(repeats):
        order = [(number + place) % len(tasks) for place in range(len(tasks))]
        for turn in reversed(order) if number % 2 else order:
            found[turn][number] = tasks[turn]()
    return found


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """One list over the other, round by round.

    Raises:
        ValueError: The lists are not of the same rounds.
    """
    return [a / b for a, b in zip(above, below, strict=True)]
