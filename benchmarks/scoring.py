"""Scoring 3,368 queries against 15,913 gallery images (Market-1501's size), beside five evaluators.

Everyone gets the same float32 distances, in which no two of a row are equal. What they say is held
together, and the largest difference is told. The slowest evaluator takes minutes: it runs in the
first SLOW rounds only.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.made_up import write_ranked
from harness.base.errors import HarnessError
from harness.bench import Asked, Goal, Row, Spread, Worker, ratios, run_script

QUERIES, GALLERY = 3_368, 15_913
SLOW = 2
PEERS = ("torchreid", "fastreid", "transreid", "oml")


class Side(NamedTuple):
    """One evaluator: whose, by which function with what, and what we claim of it."""

    peer: str
    name: str
    target: str
    goal: Goal | None = None
    slow: bool = False
    more: tuple[tuple[str, Any], ...] = ()


_CYTHON, _PYTHON = Goal("times", 5), Goal("times", 50)
SIDES = (
    Side("torchreid", "torchreid, Cython", "cython", _CYTHON, more=(("package", "torchreid"),)),
    Side("fastreid", "fast-reid, Cython", "cython", _CYTHON, more=(("package", "fastreid"),)),
    Side("torchreid", "torchreid, Python", "torchreid_python", _PYTHON, slow=True),
    Side("transreid", "TransReID, eval_func", "transreid"),
    Side("oml", "OML, functional metrics", "oml"),
)


def rows(asked: Asked) -> list[Row]:
    """One row for each evaluator that was given, or ours alone."""
    what = f"scoring {QUERIES:,} x {GALLERY:,}"
    floor = 4 * QUERIES * GALLERY / (asked.machine.copy / 2)
    with ExitStack() as stack:
        data = stack.enter_context(tempfile.TemporaryDirectory())
        write_ranked(Path(data), QUERIES, GALLERY)
        ours = stack.enter_context(asked.worker("benchmarks.ours_ranking:scoring", data=data))
        beside, lost = _started(asked, data, stack)
        truth = ours.run().value
        times, told = _rounds(asked.repeats, ours, beside)
    if not beside:
        note = f"{lost[0].note if lost else 'no peer was given'}"
        return [Row(what, Spread.of(times[""]), unit="s", floor=floor, note=note)]
    found = []
    for side in SIDES:
        if side.name not in beside:
            continue
        peer = times[side.name]
        own = times[""][: len(peer)]
        note = f"Digits beside {side.name}: {_difference(truth, told[side.name])}"
        note += f"; {len(peer)} rounds." if len(peer) < asked.repeats else "."
        found.append(
            Row(
                f"{what}, beside {side.name}",
                Spread.of(own),
                Spread.of(peer),
                Spread.of(ratios(peer, own)),
                goal=side.goal,
                floor=floor,
                note=note,
            )
        )
    return found + lost


def _started(asked: Asked, data: str, stack: ExitStack) -> tuple[dict[str, Worker], list[Row]]:
    """A worker for each evaluator of the checkouts given; a row for each that does not start."""
    running: dict[str, Worker] = {}
    lost = []
    for side in SIDES:
        if side.peer not in asked.peers:
            continue
        given = {"path": str(asked.peers[side.peer]), "data": data, **dict(side.more)}
        try:
            worker = asked.worker(f"benchmarks.peers.scorers:{side.target}", **given)
        except HarnessError as error:
            lost.append(Row(f"beside {side.name}", goal=side.goal, note=f"{error.seen}."))
            continue
        running[side.name] = stack.enter_context(worker)
    return running, lost


def _rounds(
    repeats: int, ours: Worker, beside: dict[str, Worker]
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Seconds of every round by name, ours as "", and what each evaluator said."""
    slow = {side.name for side in SIDES if side.slow}
    times: dict[str, list[float]] = {"": [], **{name: [] for name in beside}}
    told = {}
    for number in range(repeats):
        times[""].append(ours.seconds())
        for name, worker in beside.items():
            if name in slow and number >= SLOW:
                continue
            reply = worker.run()
            times[name].append(reply.seconds)
            told[name] = reply.value
    return times, told


def _difference(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """How far apart two evaluators are, in shares of 1."""
    apart = abs(ours["mAP"] - theirs["mAP"])
    ranks = max(abs(a - b) for a, b in zip(ours["cmc"], theirs["cmc"], strict=True))
    return f"mAP {theirs['mAP']:.7f}, {apart:.1e} from ours, Rank-1/5/10 within {ranks:.1e}"


if __name__ == "__main__":
    run_script(__file__, rows, peers=PEERS)
