"""Ceilings of the device: products, copies, and what a launch and a wait cost."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import torch

from benchmarks.gpu_day.parts.common import TINY, finish

_KINDS = (
    ("bf16", torch.bfloat16, False),
    ("tf32", torch.float32, True),
    ("float32", torch.float32, False),
    ("float64", torch.float64, False),
)


def median(work: Callable[[], object], where: str, tries: int = 12) -> float:
    """Seconds of a call, the median of some after two that warm up."""
    times = []
    for _ in range(tries + 2):
        finish(where)
        started = time.perf_counter()
        work()
        finish(where)
        times.append(time.perf_counter() - started)
    return statistics.median(times[2:])


def peaks(where: str) -> dict[str, float]:
    """All of them, on random numbers."""
    return {**_products(where), **_copies(where)}


def _products(where: str) -> dict[str, float]:
    found = {}
    for name, kind, tf32 in _KINDS:
        torch.backends.cuda.matmul.allow_tf32 = tf32
        n = 256 if TINY else 4096 if kind is torch.float64 else 8192
        a, b = (torch.randn(n, n, device=where).to(kind) for _ in range(2))
        seconds = median(partial(torch.mm, a, b, out=torch.empty_like(a)), where)
        found[f"{name}_tflops"] = round(2 * n**3 / seconds / 1e12, 2)
    torch.backends.cuda.matmul.allow_tf32 = False
    return found


def _copies(where: str) -> dict[str, float]:
    source = torch.ones(2**20 if TINY else 2**32, dtype=torch.uint8, device=where)
    target = torch.zeros_like(source)
    copied = median(lambda: target.copy_(source), where)
    one, small = torch.zeros(1, device=where), torch.zeros(8, dtype=torch.int64)

    def each(count: int, work: Callable[[], object]) -> float:
        """Microseconds of one of many."""

        def many() -> None:
            for _ in range(count):
                work()

        return round(median(many, where, 5) / count * 1e6, 2)

    found = {
        "copy_gbs": round(2 * len(source) / copied / 1e9, 1),
        "launch_us": each(1000, lambda: one.add_(1)),
        "blocking_copy_us": each(200, lambda: small.to(where)),
    }
    if where == "cuda":
        pinned = small.pin_memory()
        found["pinned_copy_us"] = each(200, lambda: pinned.to(where, non_blocking=True))
    return found
