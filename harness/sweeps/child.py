"""One run in a process of its own: started, asked to stop, and what became of it.

The process is `harness run` itself, with torchrun around it where several share a run, so that a
run of a sweep is in nothing another run than one started by hand.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.base.errors import DiskFullError
from harness.base.progress import say
from harness.sweeps.folder import State, SweepFolder, Try, now
from harness.sweeps.run import SweepRun

_STOPS = (signal.SIGUSR2, signal.SIGTERM)
# What a training that saved itself ends with, and what a process without a handler dies of.
_STOPPED = {128 + s for s in _STOPS} | {-s for s in _STOPS} | {128 + signal.SIGINT}
_BUSY = "RunBusyError"
# Torchrun knows no SIGUSR2 and would die of it; its workers hear it while they train.
_DEAF = ("/bin/sh", "-c", 'trap "" USR2; exec "$@"', "sh")


class How(NamedTuple):
    """How the runs of a sweep are started.

    Attributes:
        sweep: Its name, for the records.
        publish: Whether a run puts its record into the store itself.
        launcher: The words of torchrun and its options; none for a process alone.
    """

    sweep: str
    publish: bool = True
    launcher: tuple[str, ...] = ()

    def words(self, run: SweepRun) -> list[str]:
        """The command, whole."""
        more = ["--sweep", self.sweep, "--json"] + ([] if self.publish else ["--no-store"])
        command = [sys.executable, *self.launcher, "-m", "harness.cli", *run.words, *more]
        return [*(_DEAF if self.launcher else ()), *command]


class Outcome(NamedTuple):
    """What became of a run; `busy` where another process works on it."""

    state: State | None
    error: str = ""

    @property
    def busy(self) -> bool:
        """Whether another process has it."""
        return self.state is None


def torchrun(processes: int, more: Sequence[str] = ("--standalone",)) -> tuple[str, ...]:
    """The launcher of several processes on one machine; none for one process alone."""
    if processes == 1 and tuple(more) == ("--standalone",):
        return ()
    return ("-m", "torch.distributed.run", *more, "--nproc-per-node", str(processes))


class Child:
    """A run's process.

    Args:
        run: Which.
        folder: Of the sweep.
        how: It is started.
        environment: More variables, such as the GPUs it may see.
        notes: Whether it keeps the books; of several machines that share a run, one does.
    """

    def __init__(
        self,
        run: SweepRun,
        folder: SweepFolder,
        how: How,
        environment: Mapping[str, str] | None = None,
        notes: bool = True,
    ) -> None:
        self.run, self._folder, self._notes = run, folder, notes
        self._asked = False
        self._answer = folder.path / "runs" / f"{run.id}.{os.getpid()}.out"
        before = folder.tried(run.id)
        self._tried = Try(
            state="running",
            host=socket.gethostname(),
            pid=os.getpid(),
            job=job_here(),
            tries=before.tries + 1 if before and before.state != "done" else 1,
            started=now(),
        )
        self._before = before
        self._note(self._tried)
        words = how.words(run)
        log = folder.log(run.id)
        log.parent.mkdir(parents=True, exist_ok=True)
        self._answer.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as said, self._answer.open("wb") as answer:
            where = f"{self._tried.host}{' job ' * bool(self._tried.job)}{self._tried.job}"
            said.write(f"\n--- {now()} on {where}: {' '.join(words)}\n".encode())
            said.flush()
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=said,
                env={**os.environ, **(environment or {})},
                # A signal of the terminal is for the sweep, which asks its runs to stop.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def ask(self) -> None:
        """Let the run's processes save what they have, and end."""
        self._asked = True
        self._send(signal.SIGUSR2)

    def kill(self) -> None:
        """End the run's processes at once."""
        self._asked = True
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        for pid in [self.pid, *_descendants(self.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def has_ended(self) -> bool:
        """Whether it has; may be asked within a signal handler, where waiting could hang."""
        flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
        try:
            return os.waitid(os.P_PID, self.pid, flags) is not None
        except ChildProcessError:
            return True

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended, so long at most; whether it has."""
        upto = time.monotonic() + seconds
        while not self.has_ended():
            if time.monotonic() > upto:
                return False
            time.sleep(0.05)
        return True

    def outcome(self) -> Outcome:
        """What became of it, noted in the sweep's folder; waits for its end."""
        code = self._process.wait()
        answer = _last_object(self._answer)
        self._answer.unlink(missing_ok=True)
        error = answer.get("error")
        if isinstance(error, dict) and error.get("kind") == _BUSY:
            self._note(self._before)
            return Outcome(None, str(error["seen"]))
        state: State = "done" if code == 0 else "failed"
        words = ""
        if code != 0:
            words = _reason(code, error, self._folder.log(self.run.id))
            if self._asked or code in _STOPPED:
                state = "cancelled" if self._folder.cancelled else "stopped"
        ended = {"state": state, "ended": now(), "error": words}
        self._note(self._tried.model_copy(update=ended))
        return Outcome(state, words)

    def _note(self, tried: Try | None) -> None:
        if not self._notes:
            return
        try:
            if tried is None:
                self._folder.forget(self.run.id)
            else:
                self._folder.note(self.run.id, tried)
        except (OSError, DiskFullError) as error:
            # The run's own folder says as much as it can; others must not end because of this.
            say(f"how {self.run.id} goes is not noted: {error}")


def job_here() -> str:
    """The SLURM job of this process, such as `123_4`; empty outside."""
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    if array:
        return f"{array}_{os.environ.get('SLURM_ARRAY_TASK_ID', '')}"
    return os.environ.get("SLURM_JOB_ID", "")


def _descendants(pid: int) -> list[int]:
    """The processes below one, as the kernel knows them now."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = [int(word) for word in task.read_text(encoding="ascii").split()]
        except OSError:
            continue
        for child in below:
            found += [child, *_descendants(child)]
    return found


def _last_object(path: Path) -> dict[str, Any]:
    """The JSON object that a command printed last; empty where it printed none."""
    for line in reversed(path.read_text(encoding="utf-8", errors="replace").splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return {}


def _reason(code: int, error: Any, log: Path) -> str:
    if isinstance(error, dict) and "seen" in error:
        return str(error["seen"]).splitlines()[0]
    if -code == signal.SIGKILL:
        return "killed by the system (signal 9), most often because memory ran out"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [line.strip() for line in lines[-40:] if line.strip()]
    failed = [line for line in said if line.startswith(("harness failed:", "error:"))]
    return (failed or said or [f"exit code {code}"])[-1]
