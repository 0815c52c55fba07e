"""Re-ranking of 3,368 queries and 15,913 gallery images beside the NumPy code of the field.

Both get the same distances, and some of what they say is held together. The usual code takes
minutes and many GB: it runs in the first SLOW rounds only.
"""

from __future__ import annotations

from contextlib import ExitStack

from harness.bench import Asked, Goal, Reply, Row, Spread, ratios, run_script
from harness.errors import HarnessError

QUERIES, GALLERY, WIDTH = 3_368, 15_913, 256
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
        apart = max(abs(a - b) for a, b in zip(own[0].value, theirs[0].value, strict=True))
        note = (
            f"Not interleaved, since the usual code leaves no memory for another; it ran "
            f"{len(theirs)} time(s). Of 1,000 values at random, none is further than {apart:.1e} "
            "from ours. Memory is the most resident of the process, the distances included."
        )
    return [_time(asked, own, theirs, note), _memory(own, theirs, note)]


def _time(asked: Asked, own: list[Reply], theirs: list[Reply], note: str) -> Row:
    seconds, beside = [r.seconds for r in own], [r.seconds for r in theirs]
    return Row(
        f"re-ranking {QUERIES:,} + {GALLERY:,}",
        Spread.of(seconds),
        Spread.of(beside) if beside else None,
        Spread.of(ratios(beside, seconds[: len(beside)])) if beside else None,
        goal=Goal("times", 10),
        # Every distance is looked at once.
        floor=4 * (QUERIES + GALLERY) ** 2 / (asked.machine.copy / 2),
        note=note,
    )


def _memory(own: list[Reply], theirs: list[Reply], note: str) -> Row:
    mib, beside = [r.peak_mib for r in own], [r.peak_mib for r in theirs]
    return Row(
        "its peak memory",
        Spread.of(mib),
        Spread.of(beside) if beside else None,
        Spread.of(ratios(beside, mib[: len(beside)])) if beside else None,
        "MiB",
        Goal("times", 10),
        note=note,
    )


if __name__ == "__main__":
    run_script(__file__, rows, peers=PEERS, repeats=3)
