"""A lease holds where flock does not: between machines, and against processes that died."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.base import lease as leases
from harness.base.errors import RunBusyError
from harness.base.lease import HeldError, holder_of, lease
from harness.base.stages import only_one


def elsewhere(lock: Path, silent: float = 0.0, **changes: object) -> Path:
    """The lease of a process on another machine, last touched so many seconds ago."""
    about = {**leases.here()._asdict(), "host": "node7", "machine": "another", **changes}
    file = lock.with_name(f"{lock.name}.elsewhere")
    file.write_text(json.dumps(about))
    os.utime(file, (time.time() - silent,) * 2)
    return file


def test_another_machine_holds_a_run_as_long_as_its_heart_beats(tmp_path: Path) -> None:
    lock = tmp_path / "recipe" / ".40.lock"
    lock.parent.mkdir()
    elsewhere(lock, silent=leases.STALE / 2, since="2026-01-01T00:00:00+00:00")
    with pytest.raises(RunBusyError, match="on node7"), only_one(lock):
        pass
    found = holder_of(lock)
    assert found is not None and found.host == "node7"
    dead = elsewhere(lock, silent=leases.STALE + 5)
    assert holder_of(lock) is None
    with only_one(lock):
        assert not dead.exists()
        assert (found := holder_of(lock)) is not None and found.pid == os.getpid()
    assert holder_of(lock) is None
    assert [f.name for f in lock.parent.iterdir()] == [".40.lock"]


def test_a_process_of_this_machine_that_died_holds_nothing(tmp_path: Path) -> None:
    lock = tmp_path / ".40.lock"
    code = f"""
import time
from pathlib import Path
from harness.base.stages import only_one
with only_one(Path({str(lock)!r})):
    print("held", flush=True)
    time.sleep(60)
"""
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(RunBusyError, match=f"process {other.pid} on"), only_one(lock):
            pass
        other.send_signal(signal.SIGKILL)
    with only_one(lock):
        pass


def test_the_same_slurm_job_started_again_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / ".40.lock"
    elsewhere(lock, job="77", since="2026-01-01T00:00:00+00:00")
    monkeypatch.setenv("SLURM_JOB_ID", "78")
    with pytest.raises(HeldError), lease(lock):
        pass
    # Another node of the very same start lives.
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    with pytest.raises(HeldError), lease(lock):
        pass
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    with lease(lock):
        pass


def _compete(place: tuple[Path, int]) -> int:
    """Take the lease as often as it can be had in a second, and look for company each time."""
    lock, number = place
    # Each as if on a machine of its own, whose processes the others cannot see.
    leases._machine = lambda: f"machine {number}"
    inside, taken = lock.with_name("inside"), 0
    upto = time.monotonic() + 1.0
    while time.monotonic() < upto:
        try:
            with lease(lock):
                inside.mkdir()
                time.sleep(0.002)
                inside.rmdir()
                taken += 1
        except HeldError:
            continue
    return taken


def test_of_many_machines_at_once_one_holds_it(tmp_path: Path) -> None:
    """`mkdir` fails where two are inside at the same time."""
    places = [(tmp_path / ".40.lock", n) for n in range(4)]
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        taken = pool.map(_compete, places, chunksize=1)
    assert sum(taken) > 0


def test_who_was_taken_for_dead_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT", 0.01)
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    try:
        with lease(tmp_path / ".lock"):
            next(tmp_path.glob(".lock.*")).unlink()
            deadline = time.monotonic() + 10
            while not told and time.monotonic() < deadline:
                time.sleep(0.01)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told == [signal.SIGTERM]
