"""One training step of IEEE, batch 8, 256x128, on the CPU, beside the authors' code.

Ours is the step of the training loop; theirs is `forward_backward` of their engine. Both get a
batch that is in memory already.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.made_up import draw_set
from benchmarks.ours import VARIANTS
from harness.bench import Asked, Goal, Row, Spread, interleaved, ratios, run_script

PEERS = ("ieee",)


def rows(asked: Asked) -> list[Row]:
    """A row for each variant; the floor is the step's operations at the float32 or bf16 peak."""
    threads = asked.threads
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        given = {"root": str(draw_set(root, identities=2, images=4)), "threads": threads}
        ours = [
            stack.enter_context(asked.worker("benchmarks.ours:step", variant=variant, **given))
            for variant in VARIANTS
        ]
        # Counting is a step too: it warms each of them.
        counted = [worker.run(flops=True).value["flops"] for worker in ours]
        tasks = [worker.seconds for worker in ours]
        if "ieee" in asked.peers:
            path, target = str(asked.peers["ieee"]), "benchmarks.peers.ieee:step"
            peer = stack.enter_context(asked.worker(target, path=path, batch=8, threads=threads))
            peer.run()
            tasks.append(peer.seconds)
        times = interleaved(asked.repeats, *tasks)
    beside = times[-1] if "ieee" in asked.peers else None
    return [
        _row(variant, own, beside, counted[0] / peak(asked, variant))
        for variant, own in zip(VARIANTS, times, strict=False)
    ]


def peak(asked: Asked, variant: str) -> float:
    """FLOP/s of the arithmetic that a variant may use."""
    return asked.machine.bf16 if variant == "fast" else asked.machine.float32


def _row(variant: str, own: list[float], peer: list[float] | None, floor: float) -> Row:
    return Row(
        f"train step, IEEE, batch 8, 256x128, CPU, {variant}",
        Spread.of(own),
        Spread.of(peer) if peer else None,
        Spread.of(ratios(own, peer)) if peer else None,
        goal=Goal("share", 0.75) if variant == "exact" else None,
        floor=floor,
        note="" if peer else "No peer was given.",
    )


if __name__ == "__main__":
    run_script(__file__, rows, peers=PEERS)
