"""Runs of a sweep as processes of this machine: as many at a time as there are GPUs."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from types import FrameType

from harness.base.errors import PlanError
from harness.base.lease import holder_of
from harness.base.progress import say
from harness.sweeps.child import Child, How, Outcome
from harness.sweeps.folder import SweepFolder
from harness.sweeps.run import SweepRun

# Between two looks at the processes; a run takes seconds at least.
_LOOK = 0.05
# A run that another process works on is asked for again after so long.
_PATIENCE = 2.0
GRACE = 120.0
"""Seconds that a run has to save itself before it is killed: one step and one checkpoint."""


def slots(device: str, processes: int, jobs: int | None) -> list[dict[str, str]]:
    """What each of the runs at a time sees of the machine, as environment variables.

    Args:
        device: auto, cpu or cuda.
        processes: Of one run; each has a GPU of its own.
        jobs: How many at a time; None for as many as there are GPUs, or one without.

    Raises:
        PlanError: Fewer GPUs than a run wants.
    """
    gpus = [] if device == "cpu" else _gpus()
    if not gpus:
        return [{} for _ in range(jobs or 1)]
    if len(gpus) < processes:
        raise PlanError(
            seen=f"--gpus-per-run {processes} on a machine with {len(gpus)} GPUs",
            expected="as many GPUs as processes of one run",
            do="a smaller --gpus-per-run, or --device cpu",
        )
    groups = [gpus[i : i + processes] for i in range(0, len(gpus) - processes + 1, processes)]
    # More runs than GPUs share them in turn.
    chosen = [groups[i % len(groups)] for i in range(jobs or len(groups))]
    return [{"CUDA_VISIBLE_DEVICES": ",".join(group)} for group in chosen]


def run_here(
    runs: Sequence[SweepRun], folder: SweepFolder, how: How, places: Sequence[dict[str, str]]
) -> dict[str, Outcome]:
    """Start every run, so many at a time, and wait for all of them.

    A run that another process works on is left until that process ends, and started again then:
    finished, it has nothing to do.

    Raises:
        KeyboardInterrupt: The sweep was asked to stop; its runs have saved themselves.
    """
    outcomes: dict[str, Outcome] = {}
    waiting, busy = deque(runs), deque[tuple[float, SweepRun]]()
    free, working = deque(places), list[tuple[Child, dict[str, str]]]()
    with _asked() as asked:
        while (waiting or busy or working) and not asked:
            while busy and busy[0][0] < time.monotonic():
                _, run = busy.popleft()
                if holder_of(run.lock(folder.out)) is None:
                    waiting.append(run)
                else:
                    busy.append((time.monotonic() + _PATIENCE, run))
            if waiting and folder.cancelled:
                waiting.clear()
                busy.clear()
                say("the sweep was cancelled: no further run is started")
            while free and waiting:
                place = free.popleft()
                working.append((Child(waiting.popleft(), folder, how, place), place))
            for child, place in [pair for pair in working if pair[0].has_ended()]:
                working.remove((child, place))
                free.append(place)
                outcome = child.outcome()
                if outcome.busy:
                    if child.run.id not in outcomes:
                        say(f"{child.run.id}: {outcome.error}; waiting for it")
                    busy.append((time.monotonic() + _PATIENCE, child.run))
                else:
                    _tell(child, outcome, folder, len(runs), outcomes)
                outcomes[child.run.id] = outcome
            time.sleep(_LOOK)
        _end([child for child, _ in working], asked)
    return {run: outcome for run, outcome in outcomes.items() if not outcome.busy}


def _tell(
    child: Child, outcome: Outcome, folder: SweepFolder, total: int, so_far: dict[str, Outcome]
) -> None:
    settled = sum(not o.busy for i, o in so_far.items() if i != child.run.id) + 1
    words = f"[{settled}/{total}] {outcome.state}: {child.run.id}  {child.run.label}"
    say(
        words + (f"\n  {outcome.error}\n  log: {folder.log(child.run.id)}" if outcome.error else "")
    )


def _end(children: Sequence[Child], asked: Sequence[int]) -> None:
    """Ask the runs that go on to stop, and leave as soon as they have."""
    if not asked:
        return
    if children:
        say(f"stopping: {len(children)} runs save themselves")
    for child in children:
        child.ask()
    upto = time.monotonic() + GRACE
    for child in children:
        if not child.wait(max(0.0, upto - time.monotonic())):
            child.kill()
        child.outcome()
    raise KeyboardInterrupt


@contextlib.contextmanager
def _asked() -> Iterator[list[int]]:
    """The signals that ask to stop, as they come; a second one is not needed and does nothing."""
    found: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        found.append(number)

    before = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _gpus() -> list[str]:
    """The GPUs that this process may see, as CUDA_VISIBLE_DEVICES names them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [word.strip() for word in named.split(",") if word.strip() not in ("", "-1")]
    import torch

    return [str(number) for number in range(torch.cuda.device_count())]
