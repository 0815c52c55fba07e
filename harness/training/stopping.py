"""A training that is asked to stop: it ends after the step it is in, saved, and can go on alike."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import torch
from torch import distributed

from harness.base.parallel import world

SIGNALS = (signal.SIGUSR2, signal.SIGTERM)
"""What a cluster sends before it takes a job's machine away, or its time is over."""


class Asked:
    """Whether this process was asked to stop.

    Attributes:
        signal: The number of the signal; 0 as long as there was none.
    """

    def __init__(self) -> None:
        self.signal = 0

    def of_any(self) -> int:
        """The signal that any process of the run got; the same answer for all of them.

        One number for each step over the CPU, where there are several: signals do not reach them
        in the same step, and all must stop after the same one.
        """
        if world().size == 1:
            return self.signal
        found = torch.tensor(self.signal)
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
        return int(found)


@contextlib.contextmanager
def asked_to_stop() -> Iterator[Asked]:
    """Within, the signals that ask to stop are noted instead of ending the process at once.

    One that comes too late to be answered does afterwards what it would have done before.
    """
    asked = Asked()
    if threading.current_thread() is not threading.main_thread():
        # Python lets only the main thread hear signals.
        yield asked
        return

    def note(number: int, _: FrameType | None) -> None:
        asked.signal = number

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked.signal:
        os.kill(os.getpid(), asked.signal)


def random_states(device: torch.device) -> dict[str, str]:
    """Where torch's generators are, as hexadecimal."""
    found = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        found["cuda"] = torch.cuda.get_rng_state(device)
    return {name: bytes(state.tolist()).hex() for name, state in found.items()}


def restore_random(states: dict[str, str], device: torch.device) -> None:
    """Put torch's generators where `random_states` found them."""
    found = {n: torch.tensor(list(bytes.fromhex(s)), dtype=torch.uint8) for n, s in states.items()}
    torch.set_rng_state(found["cpu"])
    if device.type == "cuda" and "cuda" in found:
        torch.cuda.set_rng_state(found["cuda"], device)
