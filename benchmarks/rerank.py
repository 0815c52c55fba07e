"""Re-ranking of 3,368 queries and 15,913 gallery images beside the NumPy code of the field.

Both begin with the same descriptors, and some of what they say is held together. The usual code
takes minutes and many GB: it runs SLOW times only.
"""

from __future__ import annotations

from contextlib import ExitStack

from harness.bench import Asked, Goal, Reply, Row, Spread, ratios, run_script
from harness.errors import HarnessError

QUERIES, GALLERY, WIDTH = 3_368, 15_913, 2_048
_CLOSE = 1e-4
SLOW = 1
PEERS = ("torchreid",)
_SIZES = {"queries": QUERIES, "gallery": GALLERY, "width": WIDTH}


def rows(asked: Asked) -> list[Row]:
    """Time and peak memory."""
    with ExitStack() as stack:
        ours = stack.enter_context(asked.worker("benchmarks.ours_ranking:rerank", **_SIZES))
        own = [ours.run() for _ in range(asked.repeats)]
    theirs: list[Reply] = []
    note = "No peer was given."
    if "torchreid" in asked.peers:
        target, path = "benchmarks.peers.scorers:rerank", str(asked.peers["torchreid"])
        try:
            with asked.worker(target, path=path, **_SIZES) as peer:
                theirs = [peer.run() for _ in range(min(SLOW, asked.repeats))]
        except HarnessError as error:
            note = f"The peer did not finish: {error.seen}."
    if theirs:
        pairs = zip(own[0].value["told"], theirs[0].value["told"], strict=True)
        apart = [abs(a - b) for a, b in pairs]
        close = sum(one < _CLOSE for one in apart)
        note = (
            "From descriptors; not interleaved, since the usual code leaves no memory for another, "
            f"and it ran {len(theirs)} time(s). Of 1,000 distances at random, {close} are within "
            f"{_CLOSE} of ours, the furthest {max(apart):.1e} (ours are made in float64, theirs in "
            f"float32). Without making its distances it took {theirs[0].value['alone']:.0f} s."
        )
    sizes = f"{QUERIES:,} + {GALLERY:,}, width {WIDTH:,}"
    # Every distance once; a symmetric product needs half of its operations.
    floor = WIDTH * (QUERIES + GALLERY) ** 2 / asked.machine.float32
    seconds = [reply.seconds for reply in own], [reply.seconds for reply in theirs]
    mib = [reply.peak_mib for reply in own], [reply.peak_mib for reply in theirs]
    least = 4 * WIDTH * (QUERIES + GALLERY) / 2**20
    return [
        _row(f"re-ranking {sizes}", *seconds, "s", floor, note),
        _row("most resident memory of it", *mib, "MiB", least, note),
    ]


def _row(
    what: str, own: list[float], theirs: list[float], unit: str, floor: float, note: str
) -> Row:
    return Row(
        what,
        Spread.of(own),
        Spread.of(theirs) if theirs else None,
        Spread.of(ratios(theirs, own[: len(theirs)])) if theirs else None,
        unit,
        Goal("times", 10),
        floor,
        note,
    )


if __name__ == "__main__":
    run_script(__file__, rows, peers=PEERS, repeats=3)
