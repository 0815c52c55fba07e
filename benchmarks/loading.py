"""Loading of an epoch after the first: batches from the array beside decoding by the authors' code.

Both end with what a network takes: resized, flipped and normalised float32 batches. Theirs decodes
with PIL in the training process, as their configuration has it (0 workers), and once more with as
many workers as threads.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.made_up import draw_set
from harness.bench import Asked, Goal, Row, Spread, interleaved, ratios, run_script

IDENTITIES, IMAGES = 24, 16
PEERS = ("ieee",)
_PIXELS = 3 * 256 * 128 * 3


def rows(asked: Asked) -> list[Row]:
    """Beside their loader without and with workers."""
    count = IDENTITIES * IMAGES
    # Each pixel is read as a byte and written as four.
    floor = count * _PIXELS * 5 / asked.machine.copy
    what = f"loading {count} triplets, 256x128"
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = draw_set(root, IDENTITIES, IMAGES)
        target, threads = "benchmarks.ours:loading", asked.threads
        ours = stack.enter_context(asked.worker(target, root=str(folder), threads=threads))
        sizes = [ours.run().value]
        tasks = [ours.seconds]
        if "ieee" in asked.peers:
            given = {"path": str(asked.peers["ieee"]), "root": str(root), "threads": threads}
            for workers in (0, threads):
                target = "benchmarks.peers.ieee:loading"
                peer = stack.enter_context(asked.worker(target, workers=workers, **given))
                sizes.append(peer.run().value)
                tasks.append(peer.seconds)
        times = interleaved(asked.repeats, *tasks)
    # Samplers leave over what does not pair up, so the seconds are of one triplet each.
    ms = [[1e3 * s / size for s in found] for found, size in zip(times, sizes, strict=True)]
    each = [Spread.of(found) for found in ms]
    floor *= 1e3 / count
    if len(ms) == 1:
        return [Row(what, each[0], unit="ms each", floor=floor, note="No peer was given.")]
    names = ("their loader", f"their loader with {asked.threads} workers")
    return [
        Row(
            f"{what}, beside {name}",
            each[0],
            each[place],
            Spread.of(ratios(ms[place], ms[0])),
            "ms each",
            Goal("times", 20) if place == 1 else None,
            floor,
        )
        for place, name in enumerate(names, 1)
    ]


if __name__ == "__main__":
    run_script(__file__, rows, peers=PEERS, repeats=7)
