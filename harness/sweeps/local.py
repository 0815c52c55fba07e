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
    with _asked() as asked:
        pool = _Pool(runs, folder, how, places)
        try:
            while pool.goes_on and not asked:
                pool.start_some()
                pool.gather()
                time.sleep(_LOOK)
        finally:
            # Asked to, or because of an error of our own: no run is left without its books.
            pool.end()
    if asked:
        raise KeyboardInterrupt
    return pool.outcomes


class _Pool:
    """The runs that are waiting, at work, and settled."""

    def __init__(
        self,
        runs: Sequence[SweepRun],
        folder: SweepFolder,
        how: How,
        places: Sequence[dict[str, str]],
    ) -> None:
        self._folder, self._how, self._total = folder, how, len(runs)
        self._waiting, self._free = deque(runs), deque(places)
        self._working: list[tuple[Child, dict[str, str]]] = []
        self._elsewhere: dict[str, tuple[float, SweepRun]] = {}
        """Runs that other processes work on, and when to ask for them again."""
        self.outcomes: dict[str, Outcome] = {}

    @property
    def goes_on(self) -> bool:
        return bool(self._waiting or self._elsewhere or self._working)

    def start_some(self) -> None:
        """Start what waits, as far as there is place, unless the sweep was cancelled."""
        self._ask_again()
        if (self._waiting or self._elsewhere) and self._folder.cancelled:
            self._waiting.clear()
            self._elsewhere.clear()
            say("the sweep was cancelled: no further run is started")
        while self._free and self._waiting:
            place = self._free.popleft()
            child = Child(self._waiting.popleft(), self._folder, self._how, place)
            self._working.append((child, place))

    def gather(self) -> None:
        """Take in what has ended."""
        for child, place in [pair for pair in self._working if pair[0].has_ended()]:
            self._working.remove((child, place))
            self._free.append(place)
            outcome, run = child.outcome(), child.run
            if outcome.busy:
                say(f"{run.id}: {outcome.error}; waiting for it")
                self._elsewhere[run.id] = (time.monotonic() + _PATIENCE, run)
                continue
            self.outcomes[run.id] = outcome
            say(f"[{len(self.outcomes)}/{self._total}] {outcome.state}: {run.id}  {run.label}")
            if outcome.error:
                say(f"  {outcome.error}\n  log: {self._folder.log(run.id)}")

    def end(self) -> None:
        """Ask the runs that go on to stop, and come back as soon as they have."""
        children = [child for child, _ in self._working]
        if children:
            say(f"stopping: {len(children)} runs save themselves")
        for child in children:
            child.ask()
        upto = time.monotonic() + GRACE
        for child in children:
            if not child.wait(max(0.0, upto - time.monotonic())):
                child.kill()
            child.outcome()

    def _ask_again(self) -> None:
        for run_id, (when, run) in list(self._elsewhere.items()):
            if when > time.monotonic():
                continue
            del self._elsewhere[run_id]
            if holder_of(run.lock(self._folder.out)) is None:
                self._waiting.append(run)
            else:
                self._elsewhere[run_id] = (time.monotonic() + _PATIENCE, run)


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
