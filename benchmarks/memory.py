"""Memory of scoring 20,000 queries against 200,000 gallery images, from their descriptors.

The whole matrix of distances would be 16 GB.
"""

from __future__ import annotations

from harness.bench import Asked, Goal, Row, Spread, run_script

QUERIES, GALLERY, WIDTH = 20_000, 200_000, 512


def rows(asked: Asked) -> list[Row]:
    """Peak memory and time; one round takes minutes on two cores."""
    given = {"queries": QUERIES, "gallery": GALLERY, "width": WIDTH}
    with asked.worker("benchmarks.ours_ranking:features", **given) as worker:
        found = [worker.run() for _ in range(asked.repeats)]
    what = f"scoring {QUERIES:,} x {GALLERY:,} from {WIDTH}-wide descriptors"
    descriptors = 4 * WIDTH * (QUERIES + GALLERY)
    note = "Most resident memory of the process, interpreter, libraries and descriptors included."
    return [
        Row(
            f"memory of {what}",
            Spread.of([reply.peak_mib for reply in found]),
            unit="MiB",
            goal=Goal("value", 1.5e9 / 2**20),
            floor=descriptors / 2**20,
            note=note,
        ),
        Row(
            what,
            Spread.of([reply.seconds for reply in found]),
            floor=2 * QUERIES * GALLERY * WIDTH / asked.machine.float32,
        ),
    ]


if __name__ == "__main__":
    run_script(__file__, rows, repeats=1)
