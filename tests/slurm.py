"""A SLURM cluster of the tests' own: two nodes that are both this machine, on loopback."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
_CONF = """\
ClusterName=tests
SlurmctldHost={me}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# The second number, 120 by default, is also how long a job that is queued again must wait.
AuthInfo=socket={at}/munge.sock,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
KillWait=5
StateSaveLocation={at}/state
SlurmdSpoolDir={at}/spool-%n
SlurmctldPidFile={at}/slurmctld.pid
SlurmdPidFile={at}/slurmd-%n.pid
SlurmctldLogFile={at}/slurmctld.log
SlurmdLogFile={at}/slurmd-%n.log
SlurmctldPort={ports[0]}
ReturnToService=2
MpiDefault=none
NodeName=n1 NodeHostname={me} NodeAddr=127.0.0.1 Port={ports[1]} CPUs={cpus} State=UNKNOWN
NodeName=n2 NodeHostname={me} NodeAddr=127.0.0.1 Port={ports[2]} CPUs={cpus} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class Cluster(NamedTuple):
    """A running cluster; `SLURM_CONF` names it to every command."""

    folder: Path

    @property
    def conf(self) -> Path:
        return self.folder / "slurm.conf"

    def stop_controller(self) -> None:
        _end(self.folder / "slurmctld.pid")

    def start_controller(self) -> None:
        _call("slurmctld", "-f", self.conf)

    def say(self, *words: str) -> str:
        """What a command of SLURM prints."""
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    def queued(self) -> list[str]:
        """The jobs that are not over, as `12` or `12_3`."""
        return self.say("squeue", "-h", "-r", "-o", "%i").split()


@contextlib.contextmanager
def running() -> Iterator[Cluster]:
    """Start a cluster, and stop it; skips, with the reason, where there is none to start."""
    pytest.importorskip("submitit", reason="the extra `cluster` is not installed")
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} here: apt-get install slurm-wlm munge")
    if os.getuid() != 0:
        pytest.skip("slurmd starts jobs as other users and must be root")
    # A socket's path may be 107 bytes long; pytest's folders are longer.
    at = Path(tempfile.mkdtemp(prefix="slurm-"))
    at.chmod(0o755)
    patch = pytest.MonkeyPatch()
    try:
        _configure(at)
        cluster = Cluster(at)
        patch.setenv("SLURM_CONF", str(cluster.conf))
        # A cluster that runs these tests has variables of its own, which are not this one's.
        for name in [n for n in os.environ if re.match("SLURM_(?!CONF)|SBATCH|SUBMITIT", n)]:
            patch.delenv(name)
        _call("munged", f"--key-file={at}/munge.key", f"--socket={at}/munge.sock", "--force",
              f"--pid-file={at}/munged.pid", f"--log-file={at}/munged.log",
              f"--seed-file={at}/munge.seed")  # fmt: skip
        cluster.start_controller()
        for node in ("n1", "n2"):
            _call("slurmd", "-f", cluster.conf, "-N", node)
        _wait_for_nodes(at)
        yield cluster
    finally:
        for name in ("slurmctld", "slurmd-n1", "slurmd-n2", "munged"):
            _end(at / f"{name}.pid")
        _kill_jobs(at)
        patch.undo()
        shutil.rmtree(at, ignore_errors=True)


def _configure(at: Path) -> None:
    (at / "state").mkdir()
    key = at / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    me, cpus = socket.gethostname().partition(".")[0], os.cpu_count() or 1
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        ports = [one.getsockname()[1] for one in sockets]
    (at / "slurm.conf").write_text(_CONF.format(me=me, at=at, cpus=cpus, ports=ports))


def _wait_for_nodes(at: Path) -> None:
    upto = time.monotonic() + 30
    while time.monotonic() < upto:
        asked = subprocess.run(
            ["sinfo", "-h", "-N", "-o", "%T"], capture_output=True, text=True, check=False
        )
        if asked.stdout.split() == ["idle", "idle"]:
            return
        time.sleep(0.2)
    logs = "\n".join(f"{log.name}: {log.read_text()[-500:]}" for log in at.glob("*.log"))
    raise AssertionError(f"SLURM did not start: {logs}")


def _call(*words: object) -> None:
    # Not captured by a pipe: a server would hold it open for ever.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [str(w) for w in words], stdout=output, stderr=output, timeout=60, check=False
        )
        output.seek(0)
        assert done.returncode == 0, output.read().decode()


def _kill_jobs(at: Path) -> None:
    """End what a failed test left: whatever was started with this cluster's configuration."""
    ours = f"SLURM_CONF={at}/slurm.conf\0".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if ours in (process / "environ").read_bytes() and int(process.name) != os.getpid():
                os.kill(int(process.name), signal.SIGKILL)


def _end(pid_file: Path) -> None:
    """End a server that we started, and wait until it has."""
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        return
    upto = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < upto:
        time.sleep(0.05)
