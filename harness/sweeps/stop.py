"""Stopping a sweep: its jobs, its processes here, and nothing new."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence
from typing import NamedTuple

from harness.base.lease import here, holder_of
from harness.sweeps.folder import SweepFolder
from harness.sweeps.run import SweepRun
from harness.sweeps.slurm import cancel, queue


class Stopped(NamedTuple):
    """What was told to stop.

    Attributes:
        jobs: Of SLURM.
        processes: Of this machine.
        elsewhere: Runs that a process of another machine works on, and which one.
    """

    jobs: tuple[str, ...]
    processes: tuple[int, ...]
    elsewhere: tuple[tuple[str, str], ...]


def stop(folder: SweepFolder, runs: Sequence[SweepRun]) -> Stopped:
    """Let no run be started any more, and those that go on save themselves and end.

    Raises:
        HarnessError: SLURM does not answer.
    """
    folder.cancel()
    queued = queue(folder.jobs()) or {}
    jobs = [job for job, there in queued.items() if not there.over and job in folder.jobs()]
    if jobs:
        cancel(jobs)
    processes, elsewhere = [], []
    for run in runs:
        holder = holder_of(run.lock(folder.out))
        if holder is None or holder.job:
            continue
        if holder.machine == here().machine:
            with contextlib.suppress(ProcessLookupError):
                # A training saves itself; torchrun passes it on to nobody, so each is told.
                os.kill(holder.pid, signal.SIGUSR2)
            processes.append(holder.pid)
        else:
            elsewhere.append((run.id, str(holder)))
    return Stopped(tuple(jobs), tuple(processes), tuple(elsewhere))
