"""Who holds a lock, as a file with a heartbeat: it holds between machines that share a disk.

A lock of the system (flock) is let go of as soon as its process ends, but not every network disk
passes it on to the other machines. A lease needs of a disk only that a file made by one machine is
in the next listing of another one. Each process writes a file of its own beside the lock and then
looks for others: of two at the same time, at least one sees the other and takes its file away
again. The holder touches its file every `BEAT` seconds. One that was not touched for `STALE`
seconds, by the disk's own clock, belongs to a machine that died, and no longer counts; one of a
process of this machine, or of an earlier start of this SLURM job, counts only as long as it lives.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from harness.base.progress import say

BEAT = 20.0
STALE = 300.0
# So often one tries again that met another who came in the same moment.
_TRIES = 5
_SAME_MOMENT = 3.0


class Holder(NamedTuple):
    """The process that holds a lease.

    Attributes:
        host, pid: Where it runs.
        machine: Tells machines, their starts and their containers apart.
        started: Of the process, by the kernel's count; pids are given again.
        job: Of SLURM; empty outside.
        restart: How often SLURM started that job before.
        since: In UTC, ISO.
    """

    host: str
    pid: int
    machine: str
    started: str
    job: str
    restart: int
    since: str

    def __str__(self) -> str:
        """For an error message."""
        job = f", SLURM job {self.job}" if self.job else ""
        return f"process {self.pid} on {self.host}{job}, since {self.since[:16]} UTC"


class HeldError(Exception):
    """Another process holds the lease."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(str(holder))
        self.holder = holder


@contextlib.contextmanager
def lease(lock: Path) -> Iterator[None]:
    """Hold a lease beside a lock's file.

    Raises:
        HeldError: Another process holds it.
    """
    own = _claimed(lock)
    done = threading.Event()
    beats = threading.Thread(target=_beat, args=(own, done), name="lease", daemon=True)
    beats.start()
    try:
        yield
    finally:
        done.set()
        # Without this a last beat could touch a file that is gone, and say that it was taken.
        beats.join()
        own.unlink(missing_ok=True)


def holder_of(lock: Path) -> Holder | None:
    """Who holds a lease, for whoever only asks."""
    now = time.time()
    for file in _files(lock):
        with contextlib.suppress(OSError):
            found = _read(file)
            if found is not None and _lives(found, now - file.stat().st_mtime):
                return found
    return None


def here() -> Holder:
    """This process."""
    return Holder(
        socket.gethostname(),
        os.getpid(),
        _machine(),
        _started(os.getpid()),
        os.environ.get("SLURM_JOB_ID", ""),
        int(os.environ.get("SLURM_RESTART_COUNT", "0")),
        datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _claimed(lock: Path) -> Path:
    own = lock.with_name(f"{lock.name}.{uuid4().hex}")
    for attempt in range(1, _TRIES + 1):
        _write(own)
        other = _other(lock, own)
        if other is None:
            return own
        own.unlink(missing_ok=True)
        holder, age = other
        if age > _SAME_MOMENT or attempt == _TRIES:
            raise HeldError(holder)
        time.sleep(random.random() * attempt / 2)
    raise AssertionError("the last try raises")


def _write(own: Path) -> None:
    """Write the file whole before it has its name, so that no one reads half of it."""
    draft = own.with_name(f"{own.name}.new")
    draft.write_text(json.dumps(here()._asdict()), encoding="utf-8")
    draft.rename(own)


def _other(lock: Path, own: Path) -> tuple[Holder, float] | None:
    """Another who holds the lease, and how old it is; files of the dead are taken away."""
    os.utime(own)
    now = own.stat().st_mtime
    for file in _files(lock):
        if file == own:
            continue
        try:
            found, beat = _read(file), file.stat().st_mtime
        except OSError:
            # Its owner took it away.
            continue
        if found is not None and _lives(found, now - beat):
            began = datetime.fromisoformat(found.since).timestamp()
            return found, time.time() - began
        file.unlink(missing_ok=True)
    return None


def _files(lock: Path) -> list[Path]:
    return sorted(f for f in lock.parent.glob(f"{lock.name}.*") if f.suffix != ".new")


def _read(file: Path) -> Holder | None:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return Holder(**found)
    except (ValueError, TypeError):
        return None


def _lives(holder: Holder, silent: float) -> bool:
    if holder.machine == _machine():
        return _started(holder.pid) == holder.started
    own = here()
    if own.job and holder.job == own.job and holder.restart < own.restart:
        # SLURM starts a job again only after its last start has ended on every node.
        return False
    return silent < STALE


def _machine() -> str:
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
    with contextlib.suppress(OSError):
        # Of two containers of one machine neither sees the other's processes.
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def _started(pid: int) -> str:
    """When a process of this machine started; empty where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The name, in brackets, may hold anything; the 22nd field counts from behind it. A process
    # that ended and whose parent does not look (Z) holds nothing.
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]


def _beat(own: Path, done: threading.Event) -> None:
    import signal

    while not done.wait(BEAT):
        try:
            os.utime(own)
        except FileNotFoundError:
            say(f"{own.name} is gone: this process was silent so long that another took over")
            os.kill(os.getpid(), signal.SIGTERM)
            return
        except OSError:
            # A disk that does not answer is the same for everyone who would take over.
            continue
