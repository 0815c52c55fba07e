"""Goes over the distances of descriptors in strips, on threads or an accelerator."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np

from harness.base.threads import one_blas_thread
from harness.rerank.descriptors import Descriptors, Strip
from harness.rerank.nearest import Nearest, of_columns, of_rows
from harness.rerank.outcome import Outcome

MEMORY_MIB = 128
"""What strips may take, where nobody says otherwise."""


def outcomes(
    descriptors: Descriptors, nearest: Nearest, memory_mib: int | None, device: str
) -> Iterator[Outcome]:
    """What is kept of each strip, in order; the reader adds the candidates to `nearest`.

    Args:
        descriptors: Of queries and gallery.
        nearest: The nearest so far. Work on a strip begins before those of the strips just before
            it are added, and only finds some more candidates for that.
        memory_mib: About how much memory may be used, see `harness.rerank.k_reciprocal_features`.
        device: `cpu` or a device of torch.
    """
    if device == "cpu":
        budget = (MEMORY_MIB if memory_mib is None else memory_mib) << 20
        # One BLAS thread each: all of a strip's work runs side by side, not the product alone.
        with one_blas_thread() as threads:
            workers, rows = _plan(budget, threads, descriptors)
            work = partial(_on_cpu, descriptors, nearest)
            yield from _in_order(work, descriptors.strips(rows), workers)
    else:
        # Torch takes seconds to import.
        from harness.rerank.on_device import rows_that_fit, worker

        rows = rows_that_fit(descriptors, memory_mib, device)
        yield from _in_order(worker(descriptors, nearest, device), descriptors.strips(rows), 1)


def _on_cpu(descriptors: Descriptors, nearest: Nearest, strip: Strip) -> Outcome:
    values = descriptors.values(strip)
    after = values[:, strip.after - strip.column :]
    k, limits = nearest.keys.shape[1], nearest.limits
    return Outcome(
        strip,
        of_rows(values, limits[strip.start : strip.stop], k, strip.start, strip.column),
        of_columns(after, limits[strip.after :], k, strip.start, strip.after),
        values.max(axis=1),
        after.max(axis=0),
        values if strip.stop <= descriptors.queries else None,
    )


def _in_order(
    work: Callable[[Strip], Outcome], strips: Iterator[Strip], workers: int
) -> Iterator[Outcome]:
    """Outcomes in the order of the strips, while threads are at work on the next ones."""
    waiting: deque[Future[Outcome]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for strip in strips:
            waiting.append(pool.submit(work, strip))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _plan(budget: int, threads: int, descriptors: Descriptors) -> tuple[int, int]:
    """How many threads fit, and rows of a strip: at least one and 16, whatever the budget."""
    width, columns = descriptors.width, descriptors.tile
    tile = 8 * columns * width
    # Each thread has float32 values at work and, of queries, as many waiting to be read; besides
    # descriptors and a product in float64.
    row = 8 * len(descriptors.firsts) + 8 * (width + columns)
    # With fewer rows than these, widening descriptors to float64 would take most of the time.
    workers = int(np.clip(budget // (tile + 64 * row), 1, threads))
    return workers, int(np.clip((budget // workers - tile) // row, 16, 1024))
