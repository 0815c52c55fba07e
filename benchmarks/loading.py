"""Loading of an epoch after the first: batches from the array beside decoding by the authors' code.

The first row is the pixels alone, as bytes: out of the array, and decoded and resized by PIL in one
thread. The others end with what a network takes: resized, flipped and normalised float32 batches.
The authors' loader decodes with PIL in the training process, as their configuration has it (0
workers), and once more with as many workers as threads.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.made_up import draw_set
from harness.bench import Asked, Goal, Row, Spread, Worker, interleaved, ratios, run_script
from harness.bench.measure import Task

IDENTITIES, IMAGES = 24, 16
PEERS = ("ieee",)
_PIXELS = 3 * 256 * 128 * 3


def rows(asked: Asked) -> list[Row]:
    """Exact and fast, each beside their loader without and with workers."""
    threads, count = asked.threads, IDENTITIES * IMAGES
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        given = {"root": str(draw_set(root, IDENTITIES, IMAGES)), "threads": threads}
        sides = {
            variant: stack.enter_context(
                asked.worker("benchmarks.ours:loading", variant=variant, **given)
            )
            for variant in ("exact", "fast")
        }
        for name, decoding in (("array", False), ("PIL", True)):
            worker = asked.worker("benchmarks.ours:pixels", decoding=decoding, **given)
            sides[name] = stack.enter_context(worker)
        if "ieee" in asked.peers:
            given = {"path": str(asked.peers["ieee"]), "root": str(root), "threads": threads}
            for workers in (0, threads):
                target = "benchmarks.peers.ieee:loading"
                worker = asked.worker(target, workers=workers, **given)
                sides[f"{workers} workers"] = stack.enter_context(worker)
        for worker in sides.values():
            worker.run()
        times = interleaved(asked.repeats, *(per_triplet(worker) for worker in sides.values()))
    ms = {side: [1e3 * s for s in found] for side, found in zip(sides, times, strict=True)}
    # Each pixel is read as a byte and written as four; of the pixels alone, as one.
    floor = 1e3 * _PIXELS * 5 / asked.machine.copy
    goal = Goal("times", 20)
    found = [
        _row(f"pixels of {count} triplets, 256x128", ms["array"], ms["PIL"], goal, floor / 5 * 2)
    ]
    for variant in ("exact", "fast"):
        what = f"loading {count} triplets, 256x128, {variant}"
        peers = [side for side in sides if side.endswith("workers")]
        if not peers:
            own = Spread.of(ms[variant])
            found.append(Row(what, own, unit="ms each", floor=floor, note="No peer was given."))
        found += [
            _row(f"{what}, beside their loader, {side}", ms[variant], ms[side], None, floor)
            for side in peers
        ]
    return found


def per_triplet(worker: Worker) -> Task:
    """Seconds a triplet: samplers leave over what does not pair up."""

    def task() -> float:
        reply = worker.run()
        return reply.seconds / int(reply.value)

    return task


def _row(what: str, own: list[float], peer: list[float], goal: Goal | None, floor: float) -> Row:
    spread = Spread.of(ratios(peer, own))
    return Row(what, Spread.of(own), Spread.of(peer), spread, "ms each", goal, floor)


if __name__ == "__main__":
    run_script(__file__, rows, peers=PEERS, repeats=7)
