"""Starting a sweep: what is missing and not under way is started, here or on a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from harness.base.errors import HarnessError, RunBusyError
from harness.base.progress import say
from harness.base.stages import only_one
from harness.store import open_store
from harness.store.upkeep import import_records
from harness.sweeps.child import How, torchrun
from harness.sweeps.folder import SweepFolder
from harness.sweeps.local import run_here, slots
from harness.sweeps.settle import Settled
from harness.sweeps.slurm import Cluster, publishes, require_cluster, submit
from harness.sweeps.status import Seeing, look

_LOOK = 5.0


class Asked(NamedTuple):
    """How a command wants a sweep to be carried out.

    Attributes:
        on: local or slurm.
        device: auto, cpu or cuda.
        jobs: Runs at a time on this machine; None for one a GPU.
        cluster: What jobs ask of SLURM, and how many processes make one run.
        wait: Whether to wait for the jobs.
    """

    on: str
    device: str
    jobs: int | None
    cluster: Cluster
    wait: bool = True

    @property
    def processes(self) -> int:
        """By how many one run is made."""
        return self.cluster.processes * self.cluster.nodes


def start(settled: Settled, folder: SweepFolder, asked: Asked) -> Seeing:
    """Start what is missing and wait for it; what is done, and what went wrong, is in the folder.

    Raises:
        HarnessError: Nothing could be started.
        KeyboardInterrupt: Asked to stop. Runs of this machine have saved themselves; jobs go on.
    """
    cluster = asked.cluster
    runs = list(settled.runs.values())
    if asked.on == "slurm":
        require_cluster()
        publish = publishes()
        _keep(folder, asked, settled)
        _submit_missing(settled, folder, cluster, publish)
        if asked.wait:
            _wait(folder, settled)
            if not publish:
                _import(folder, settled)
    else:
        places = slots(asked.device, cluster.processes, asked.jobs)
        _keep(folder, asked, settled)
        how = How(folder.name, launcher=torchrun(cluster.processes))
        missing = settled.missing
        if missing:
            say(f"{len(missing)} runs to do, {min(len(places), len(missing))} at a time")
            run_here(missing, folder, how, places)
    return look(folder, runs)


def _keep(folder: SweepFolder, asked: Asked, settled: Settled) -> None:
    folder.keep(asked.on, asked.processes, settled.runs.values())


def _submit_missing(settled: Settled, folder: SweepFolder, cluster: Cluster, publish: bool) -> None:
    """Submit what nothing works on yet; of two who start a sweep at once, one after the other."""

    def submit_now() -> None:
        seeing = look(folder, list(settled.runs.values()))
        if not seeing.slurm:
            raise HarnessError(
                seen="SLURM does not answer, so that it is not known which runs are queued already",
                expected="a cluster that answers squeue",
                do="try again; runs that go on are not disturbed (harness sweep status)",
            )
        under_way = {seen.run.id for seen in seeing.runs if seen.alive}
        todo = [run for run in settled.missing if run.id not in under_way]
        busy = len(settled.missing) - len(todo)
        if busy:
            say(f"{busy} runs are under way or in the queue already")
        if not todo:
            return
        jobs = submit(todo, folder, cluster, publish)
        say(f"submitted {len(todo)} runs as job {next(iter(jobs)).partition('_')[0]}")

    _alone(folder.lock, submit_now)


def _alone(lock: Path, work: Callable[[], None], patience: float = 120.0) -> None:
    upto = time.monotonic() + patience
    while True:
        try:
            with only_one(lock):
                work()
                return
        except RunBusyError:
            if time.monotonic() > upto:
                raise
            time.sleep(0.5)


def _wait(folder: SweepFolder, settled: Settled) -> None:
    """Wait until nothing goes on any more, telling of each run that ends."""
    runs = list(settled.runs.values())
    told = set(settled.done)
    say("waiting for the jobs; stopping this command leaves them alone (harness sweep status)")
    while True:
        seeing = look(folder, runs)
        ended = [s for s in seeing.runs if not s.alive and s.run.id not in told]
        for seen in ended:
            if seen.state == "waiting" and seeing.alive:
                continue
            told.add(seen.run.id)
            say(f"[{len(told)}/{len(runs)}] {seen.state}: {seen.run.id}  {seen.run.label}")
            if seen.reason:
                say(f"  {seen.reason}\n  log: {folder.log(seen.run.id)}")
        if not seeing.alive:
            return
        time.sleep(_LOOK)


def _import(folder: SweepFolder, settled: Settled) -> None:
    """Bring what the jobs left in their folders into the store of this machine."""
    places = [folder.out / run.folder / "record.json" for run in settled.runs.values()]
    there = [p for p in places if p.is_file()]
    try:
        if there:
            import_records(open_store(folder.out), there)
    except HarnessError as error:
        # The records are safe where they are.
        say(f"not in the store yet: {error.seen}; harness store import {folder.out}")
