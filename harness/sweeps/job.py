"""What one SLURM job of a sweep does: its run, and going on after it was interrupted.

Light, since every job unpickles it: no torch, and nothing of the harness but the run's process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from harness.sweeps.child import Child, How, Outcome, torchrun
from harness.sweeps.folder import SweepFolder
from harness.sweeps.local import GRACE
from harness.sweeps.run import SweepRun

_LOOK = 0.05
# So long SLURM may take to end a job after it sent SIGTERM (GraceTime of a partition).
_HOLD = 300.0
# So long the controller may be away when a job wants to be queued again.
_CONTROLLER = 60.0


@dataclass
class Job:
    """The function that submitit calls on the cluster, once for each task of the job.

    Attributes:
        run: Which.
        out: The `--out` folder.
        sweep: Its name.
        publish: Whether the run puts its record into the store.
        nodes: Of one run.
        processes: On each of them.
        retries: How often the job may be queued again.
    """

    run: SweepRun
    out: Path
    sweep: str
    publish: bool
    nodes: int
    processes: int
    retries: int
    _child: Child | None = field(default=None, init=False)

    def __getstate__(self) -> dict[str, Any]:
        """Without the process, which cannot be pickled."""
        return {**self.__dict__, "_child": None}

    def __call__(self) -> str:
        """Make the run; what became of it.

        Raises:
            RuntimeError: It failed; SLURM shows the job as failed then.
        """
        signal.signal(signal.SIGTERM, self._on_terminate)
        outcome = self._once()
        for _ in range(self.retries):
            if outcome.state != "stopped" or not self._held():
                break
            outcome = self._once()
        if outcome.state == "failed":
            raise RuntimeError(outcome.error)
        return outcome.state or outcome.error

    def checkpoint(self) -> Any:
        """What submitit calls when SLURM sends SIGUSR2: save, and say how to go on.

        Returns:
            What is to be queued again, or None where it was queued often enough.
        """
        from submitit.helpers import DelayedSubmission

        outcome = Outcome("stopped")
        if self._child is not None:
            self._child.ask()
            if not self._child.wait(GRACE):
                self._child.kill()
            outcome = self._child.outcome()
        if outcome.state != "stopped":
            return None
        if _restarts() >= self.retries:
            self._note_given_up()
            return None
        _wait_for_controller()
        return DelayedSubmission(self)

    def _once(self) -> Outcome:
        if self._folder.cancelled:
            return Outcome("cancelled")
        main = os.environ.get("SLURM_PROCID", "0") == "0"
        self._child = Child(self.run, self._folder, self.how, notes=main)
        while not self._child.has_ended():
            time.sleep(_LOOK)
        return self._child.outcome()

    @property
    def how(self) -> How:
        """The run is started; of several machines, with where they meet."""
        return How(self.sweep, self.publish, self._launcher())

    @property
    def _folder(self) -> SweepFolder:
        return SweepFolder(self.out, self.sweep)

    def _launcher(self) -> tuple[str, ...]:
        if self.nodes == 1:
            return torchrun(self.processes)
        job = int(os.environ["SLURM_JOB_ID"])
        return torchrun(
            self.processes,
            (
                *("--nnodes", str(self.nodes), "--node-rank", os.environ["SLURM_NODEID"]),
                # The batch script runs on the first node, and so does srun, which tells the others.
                *("--master-addr", os.environ["SLURM_LAUNCH_NODE_IPADDR"]),
                *("--master-port", str(20_000 + job % 20_000)),
            ),
        )

    def _on_terminate(self, number: int, frame: FrameType | None) -> None:
        """SLURM takes the job away, by its own rules it comes back: let the run save itself."""
        if self._child is not None:
            self._child.ask()

    def _held(self) -> bool:
        """Whether the job lives on, some time after something stopped its run.

        A job that ended by itself would not be queued again by SLURM, which preempted it.
        """
        upto = time.monotonic() + _HOLD
        while time.monotonic() < upto:
            if self._folder.cancelled or _is_ending():
                return False
            time.sleep(2.0)
        return True

    def _note_given_up(self) -> None:
        tried = self._folder.tried(self.run.id)
        if tried is not None:
            times = f"stopped {_restarts() + 1} times, and --retries is {self.retries}"
            error = f"{times}; the sweep started again goes on from its checkpoint"
            failed = tried.model_copy(update={"state": "failed", "error": error})
            self._folder.note(self.run.id, failed)


def _restarts() -> int:
    return int(os.environ.get("SLURM_RESTART_COUNT", "0"))


def _is_ending() -> bool:
    """Whether SLURM says that this job is on its way out; False where it does not answer."""
    words = ["squeue", "-h", "-t", "all", "-o", "%T", "-j", os.environ.get("SLURM_JOB_ID", "")]
    try:
        asked = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0 and asked.stdout.split() not in ([], ["RUNNING"])


def _wait_for_controller() -> None:
    """A job can be queued again only while the controller answers."""
    upto = time.monotonic() + _CONTROLLER
    while time.monotonic() < upto:
        asked = subprocess.run(["scontrol", "ping"], capture_output=True, text=True, check=False)
        if " UP" in asked.stdout:
            return
        time.sleep(1.0)
