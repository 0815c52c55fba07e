"""A short epoch on the CPU, loading included, beside the authors' code with its own DataLoader.

Both read the same drawn JPEGs in RGBNT201's layout; theirs with 0 workers, as their configuration
has it. Ours has decoded them before, as in every epoch after a run's first.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.made_up import draw_set
from benchmarks.step import peak
from harness.bench import Asked, Goal, Row, Spread, Worker, interleaved, ratios, run_script
from harness.bench.measure import Task

IDENTITIES, IMAGES = 4, 16
"""Of the drawn set: at most 8 steps, so that what an epoch needs once weighs little."""
SHOWN = ("exact", "fast")
PEERS = ("ieee",)


def rows(asked: Asked) -> list[Row]:
    """A row for each variant; seconds are of one step with what belongs to it."""
    threads = asked.threads
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        given = {"root": str(draw_set(root, IDENTITIES, IMAGES)), "threads": threads}
        workers = [
            stack.enter_context(asked.worker("benchmarks.ours:epoch", variant=variant, **given))
            for variant in SHOWN
        ]
        # The first epoch warms each of them.
        counted = [worker.run(flops=True).value for worker in workers]
        if "ieee" in asked.peers:
            path, target = str(asked.peers["ieee"]), "benchmarks.peers.ieee:epoch"
            peer = asked.worker(target, path=path, root=str(root), threads=threads)
            workers.append(stack.enter_context(peer))
            workers[-1].run()
        # Their sampler leaves over what does not pair up, so an epoch may be shorter.
        times = interleaved(asked.repeats, *(_per_step(worker) for worker in workers))
    beside = times[-1] if "ieee" in asked.peers else None
    flops = counted[0]["flops"] / counted[0]["steps"]
    return [
        Row(
            f"epoch of {counted[0]['steps']} steps with loading, CPU, {variant}, a step",
            Spread.of(own),
            Spread.of(beside) if beside else None,
            Spread.of(ratios(own, beside)) if beside else None,
            goal=Goal("share", 0.6) if variant == "exact" else None,
            floor=flops / peak(asked, variant),
            note="" if beside else "No peer was given.",
        )
        for variant, own in zip(SHOWN, times, strict=False)
    ]


def _per_step(worker: Worker) -> Task:
    def task() -> float:
        reply = worker.run()
        return reply.seconds / int(reply.value["steps"])

    return task


if __name__ == "__main__":
    run_script(__file__, rows, peers=PEERS, repeats=3)
