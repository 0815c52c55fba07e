"""Re-ranking of 3,368 queries and 15,913 gallery images beside the NumPy code of the field.

Both begin with the same descriptors, and some of what they say is held together. The usual code
takes minutes and many GB: it runs SLOW times only.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from harness.base.errors import HarnessError
from harness.bench import Asked, Goal, Reply, Row, Spread, ratios, run_script

QUERIES, GALLERY, WIDTH = 3_368, 15_913, 2_048
_CLOSE = 1e-4
SLOW = 2
PEERS = ("torchreid",)
_SIZES = {"queries": QUERIES, "gallery": GALLERY, "width": WIDTH}


def rows(asked: Asked) -> list[Row]:
    """Time and peak memory."""
    own, theirs, note = _rounds(asked)
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


def _rounds(asked: Asked) -> tuple[list[Reply], list[Reply], str]:
    """Our rounds, theirs among them, and what is to be said about both."""
    own: list[Reply] = []
    theirs: list[Reply] = []
    with ExitStack() as stack:
        ours = stack.enter_context(asked.worker("benchmarks.ours_ranking:rerank", **_SIZES))
        if "torchreid" not in asked.peers:
            return [ours.run() for _ in range(asked.repeats)], [], "No peer was given."
        target, path = "benchmarks.peers.scorers:rerank", str(asked.peers["torchreid"])
        peer = stack.enter_context(asked.worker(target, path=path, **_SIZES))
        for number in range(asked.repeats):
            own.append(ours.run())
            if number >= SLOW:
                continue
            try:
                theirs.append(peer.run())
            except HarnessError as error:
                return own, [], f"The peer did not finish: {error.seen}."
    return own, theirs, _compared(own[0].value, theirs[0].value, len(theirs))


def _compared(ours: dict[str, Any], theirs: dict[str, Any], rounds: int) -> str:
    apart = [abs(a - b) for a, b in zip(ours["told"], theirs["told"], strict=True)]
    close = sum(one < _CLOSE for one in apart)
    return (
        f"From descriptors; the usual code ran {rounds} time(s). Of {len(apart):,} distances at "
        f"random, {close:,} are within {_CLOSE} of ours, the furthest {max(apart):.1e} (ours are "
        "made in float64, theirs in float32). Without making its distances it took "
        f"{theirs['alone']:.0f} s."
    )


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
    run_script(__file__, rows, peers=PEERS, repeats=2)
