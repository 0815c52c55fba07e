"""What other processes do to a store; light, because each of them imports it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.evidence.trust import Trust
from harness.store import Store
from tests.harness.records import make

EACH = 3


def write(place: Path | str, first: int) -> None:
    store = Store(place)
    for seed in range(first, first + EACH):
        record = make(seed)
        store.add(record, Path("/somewhere/record.json"))
        store.set_trust(record.run_id, Trust.RESCORED, {"seed": seed})


def count(path: Path, expected: int) -> None:
    assert len(Store(path).summaries()) == expected


def all_at_once(target: Callable[..., None], arguments: Sequence[tuple[object, ...]]) -> list[int]:
    """Call the function in one process for each of the arguments; their exit codes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    workers = [context.Process(target=target, args=given) for given in arguments]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    return [worker.exitcode or 0 for worker in workers]
