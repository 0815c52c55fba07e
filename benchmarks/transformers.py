"""A training step of the transformer methods, batch 8, 256x128, CPU, beside the authors' code.

Both sides get a batch that is in memory already and compute in float32; ours is the published
recipe in exact mode, without pretrained weights. A method at a time, since two such models with
their optimisers take several GB.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmarks.made_up import draw_set
from harness.bench import Asked, Goal, Row, Spread, Worker, interleaved, ratios, run_script
from harness.bench.measure import Task

PEERS = ("top-reid", "editor", "demo", "signal")
_BATCH = 8


def rows(asked: Asked) -> list[Row]:
    """Time and memory of a step, a row each for each method."""
    with tempfile.TemporaryDirectory() as folder:
        root = draw_set(Path(folder), identities=2, images=4)
        return [row for method in PEERS for row in _rows(asked, method, root)]


def _rows(asked: Asked, method: str, root: Path) -> list[Row]:
    threads = asked.threads
    with ExitStack() as stack:
        given = {"root": str(root), "variant": "exact", "threads": threads, "method": method}
        workers = [stack.enter_context(asked.worker("benchmarks.ours:step", **given))]
        if method in asked.peers:
            of_theirs = {"path": str(asked.peers[method]), "method": method, "batch": _BATCH}
            target = "benchmarks.peers.transformers:step"
            workers.append(stack.enter_context(asked.worker(target, threads=threads, **of_theirs)))
        flops = workers[0].run(flops=True).value["flops"]
        for peer in workers[1:]:
            peer.run()
        peaks: list[list[float]] = [[] for _ in workers]
        times = interleaved(
            asked.repeats,
            *(_keeping(w, peak) for w, peak in zip(workers, peaks, strict=True)),
        )
    step = _row(
        f"train step, {method}, batch 8, 256x128, CPU, exact", times, "s", Goal("share", 1.0)
    )
    memory = _row(f"memory of it, {method}", peaks, "MiB", None)
    return [replace(step, floor=flops / asked.machine.float32), memory]


def _keeping(worker: Worker, peak: list[float]) -> Task:
    def task() -> float:
        reply = worker.run()
        peak.append(reply.peak_mib)
        return reply.seconds

    return task


def _row(what: str, values: list[list[float]], unit: str, goal: Goal | None) -> Row:
    own, *others = values
    peer = others[0] if others else None
    return Row(
        what,
        Spread.of(own),
        Spread.of(peer) if peer else None,
        Spread.of(ratios(own, peer)) if peer else None,
        unit=unit,
        goal=goal if peer else None,
        note="" if peer else "No peer was given.",
    )


if __name__ == "__main__":
    run_script(__file__, rows, peers=PEERS, repeats=3)
