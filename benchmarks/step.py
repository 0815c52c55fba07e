"""One training step of IEEE, batch 8, 256x128, float32 on the CPU, beside the authors' code.

Ours runs through the training loop itself, its loading and augmentation included; theirs is
`forward_backward` of their engine on a batch that is in memory already.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.made_up import draw_set
from benchmarks.ours import MODES
from harness.bench import Asked, Goal, Row, Spread, interleaved, ratios, run_script

STEPS = 2
"""Of a round; a single one would carry all that an epoch needs besides."""
PEERS = ("ieee",)


def rows(asked: Asked) -> list[Row]:
    """Exact and fast."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = draw_set(root, identities=2, images=4 * STEPS)
        ours = [
            stack.enter_context(
                asked.worker(
                    "benchmarks.ours:training",
                    root=str(folder),
                    threads=asked.threads,
                    mode=mode,
                )
            )
            for mode in MODES
        ]
        counted = ours[0].run(flops=True).value
        assert counted["steps"] == STEPS
        floor = counted["flops"] / STEPS / asked.machine.float32
        ours[1].run()
        tasks = [worker.seconds for worker in ours]
        if "ieee" in asked.peers:
            path, threads = str(asked.peers["ieee"]), asked.threads
            target = "benchmarks.peers.ieee:step"
            peer = stack.enter_context(asked.worker(target, path=path, batch=8, threads=threads))
            peer.run(count=1)
            tasks.append(lambda: peer.run(count=STEPS).seconds)
        times = interleaved(asked.repeats, *tasks)
    per_step = [[seconds / STEPS for seconds in found] for found in times]
    return [_row(mode, place, per_step, floor) for place, mode in enumerate(MODES)]


def _row(mode: str, place: int, times: list[list[float]], floor: float) -> Row:
    what = f"train step, IEEE, batch 8, 256x128, CPU, `{mode}`"
    own = Spread.of(times[place])
    goal = Goal("share", 0.75) if mode == "exact" else None
    if len(times) == len(MODES):
        return Row(what, own, goal=goal, floor=floor, note="No peer was given.")
    peer = times[-1]
    return Row(what, own, Spread.of(peer), Spread.of(ratios(times[place], peer)), "s", goal, floor)


if __name__ == "__main__":
    run_script(__file__, rows, peers=PEERS)
