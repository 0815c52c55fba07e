"""A short epoch on the CPU, loading included, beside the authors' code with its own DataLoader.

Both read the same drawn JPEGs in RGBNT201's layout; theirs with 0 workers, as their configuration
has it. Ours has decoded them before, as in every epoch after a run's first.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.made_up import draw_set
from benchmarks.ours import MODES
from harness.bench import Asked, Goal, Row, Spread, interleaved, ratios, run_script

IDENTITIES, IMAGES = 4, 8
"""Of the drawn set: 4 steps."""
PEERS = ("ieee",)


def rows(asked: Asked) -> list[Row]:
    """Exact and fast."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = draw_set(root, IDENTITIES, IMAGES)
        ours = [
            stack.enter_context(
                asked.worker(
                    "benchmarks.ours:training", root=str(folder), threads=asked.threads, mode=mode
                )
            )
            for mode in MODES
        ]
        counted = ours[0].run(flops=True).value
        ours[1].run()
        tasks = [worker.seconds for worker in ours]
        if "ieee" in asked.peers:
            given = {"path": str(asked.peers["ieee"]), "root": str(root)}
            target = "benchmarks.peers.ieee:epoch"
            peer = stack.enter_context(asked.worker(target, threads=asked.threads, **given))
            steps = peer.run().value["steps"]
            tasks.append(peer.seconds)
            # Their sampler draws identities at random and leaves over what does not pair up.
            assert steps <= counted["steps"]
        times = interleaved(asked.repeats, *tasks)
    floor = counted["flops"] / asked.machine.float32
    return [_row(mode, place, times, floor, counted["steps"]) for place, mode in enumerate(MODES)]


def _row(mode: str, place: int, times: list[list[float]], floor: float, steps: int) -> Row:
    what = f"epoch of {steps} steps with loading, CPU, `{mode}`"
    own = Spread.of(times[place])
    goal = Goal("share", 0.6) if mode == "exact" else None
    if len(times) == len(MODES):
        return Row(what, own, goal=goal, floor=floor, note="No peer was given.")
    peer = times[-1]
    return Row(what, own, Spread.of(peer), Spread.of(ratios(times[place], peer)), "s", goal, floor)


if __name__ == "__main__":
    run_script(__file__, rows, peers=PEERS, repeats=3)
