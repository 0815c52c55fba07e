"""Work for the workers of these tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any


def counting(start: int) -> Callable[..., Any]:
    """Counts its rounds, talks, and takes memory when asked."""
    rounds = [start]

    def work(mib: int = 0, fail: bool = False, die: bool = False) -> Any:
        print("a peer's chatter")
        if fail:
            raise ValueError("no more")
        if die:
            os._exit(9)
        rounds[0] += 1
        taken = bytearray(mib * 2**20)
        # Written to, or the system would not give it.
        taken[::4096] = b"x" * len(taken[::4096])
        return {"rounds": rounds[0], "threads": os.environ["OMP_NUM_THREADS"]}

    return work
