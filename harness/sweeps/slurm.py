"""Runs of a sweep as one array job of a SLURM cluster, through submitit; and what SLURM says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.base.errors import HarnessError, PlanError, StoreError
from harness.base.files import STORE_VARIABLE
from harness.sweeps.folder import SweepFolder
from harness.sweeps.job import Job
from harness.sweeps.run import SweepRun

DEFAULT_MINUTES = 24 * 60
RETRIES = 3
# SLURM's own limit on an array is 1001 unless a cluster says otherwise.
_AT_ONCE = 1000
# The time between SIGUSR2 and the end: to finish a step, save, and be queued again.
_SIGNAL_SECONDS = 180
_OURS = {"array", "output", "error", "open-mode", "nodes", "ntasks-per-node", "job-name"}
_OVER = {"COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "BOOT_FAIL", "DEADLINE"} | {
    *("OUT_OF_MEMORY", "PREEMPTED", "REVOKED")
}


class Cluster(NamedTuple):
    """What each job asks of SLURM; empty or None leaves it to the cluster.

    Attributes:
        minutes: Of a job, before it is stopped and queued again.
        parallel: So many jobs at a time.
        setup: Lines of the shell before the run, such as `module load cuda`.
        more: Any further keys of `#SBATCH`; True for one without a value.
        retries: How often a job that was stopped is queued again.
        nodes, processes: Of one run, and on each node.
    """

    partition: str | None = None
    gpus: int | None = None
    cpus: int | None = None
    memory: str | None = None
    minutes: int = DEFAULT_MINUTES
    account: str | None = None
    constraint: str | None = None
    setup: tuple[str, ...] = ()
    parallel: int | None = None
    more: tuple[tuple[str, str | bool], ...] = ()
    retries: int = RETRIES
    nodes: int = 1
    processes: int = 1


class Queued(NamedTuple):
    """A job as SLURM sees it.

    Attributes:
        state: SLURM's word, such as PENDING.
        reason: Why it waits, or ended.
    """

    state: str
    reason: str
    node: str

    @property
    def over(self) -> bool:
        """Whether it will not run any more."""
        return self.state in _OVER


def require_cluster() -> None:
    """Refuse to start where there is no SLURM, or no submitit.

    Raises:
        PlanError: What is missing.
    """
    try:
        import submitit  # noqa: F401
    except ImportError as error:
        raise PlanError(
            seen="submitit is not installed",
            expected="the extra `cluster`, through which jobs are submitted",
            do="pip install 'mmreid-harness[cluster]'",
        ) from error
    missing = [name for name in ("sbatch", "srun", "squeue") if shutil.which(name) is None]
    if missing:
        raise PlanError(
            seen=f"there is no {' and no '.join(missing)} here",
            expected="a login node of a SLURM cluster",
            do="--on local runs the sweep on this machine",
        )


def publishes() -> bool:
    """Whether jobs put their records into the store: PostgreSQL, or none at all.

    Raises:
        StoreError: SQLite, which several machines must not write at once.
    """
    url = os.environ.get(STORE_VARIABLE, "")
    if not url:
        return False
    if url.startswith("postgres"):
        return True
    raise StoreError(
        seen=f"the store {url} is a SQLite file, and the jobs run on several machines",
        expected="postgresql://..., or no --store: SQLite's locks do not hold on a network disk",
        do="leave --store out: records stay in the run folders, and afterwards "
        f"harness store import OUT --store {url}",
    )


def minutes_of(text: str) -> int:
    """Minutes of a time as SLURM writes it: 90, 1:30:00, 2-12, 2-12:00, or 2-12:00:00.

    Raises:
        PlanError: Another form, or no time at all.
    """
    found = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text)
    days, *rest = found.groups() if found else (None, None, None, None)
    first, second, third = (int(part or 0) for part in rest)
    if days is not None:
        total = int(days) * 24 * 60 + first * 60 + second + (third > 0)
    elif rest[2] is not None:
        total = first * 60 + second + (third > 0)
    else:
        total = first + (second > 0)
    if total == 0:
        raise PlanError(
            seen=f"--time {text}",
            expected="minutes, H:MM:SS, D-H or D-H:MM:SS, as SLURM writes times",
            do="--time 12:00:00",
        )
    return total


def further(words: Sequence[str]) -> tuple[tuple[str, str | bool], ...]:
    """The keys of `--slurm key=value`.

    Raises:
        PlanError: One that the sweep sets itself, or not of that form.
    """
    found: list[tuple[str, str | bool]] = []
    for word in words:
        key, equals, value = word.lstrip("-").partition("=")
        if not re.fullmatch(r"[a-z][a-z0-9-]*", key) or key in _OURS:
            raise PlanError(
                seen=f"--slurm {word}",
                expected=f"key=value of #SBATCH, and none of {', '.join(sorted(_OURS))}, which the "
                "sweep sets itself",
                do="--slurm qos=low, or --slurm exclusive for a key without a value",
            )
        found.append((key, value if equals else True))
    return tuple(found)


def submit(
    runs: Sequence[SweepRun], folder: SweepFolder, cluster: Cluster, publish: bool
) -> dict[str, str]:
    """Submit an array job, a task for each run, and note which job is which run.

    Raises:
        HarnessError: What SLURM said against it.
    """
    from submitit import SlurmExecutor
    from submitit.core.utils import FailedJobError

    found: dict[str, str] = {}
    for start in range(0, len(runs), _AT_ONCE):
        some = runs[start : start + _AT_ONCE]
        executor = SlurmExecutor(_seen_everywhere(folder.slurm), max_num_timeout=cluster.retries)
        executor.update_parameters(**_parameters(folder.name, cluster, len(some)))
        todo = [
            Job(
                *(run, folder.out, folder.name, publish),
                *(cluster.nodes, cluster.processes, cluster.retries),
            )
            for run in some
        ]
        try:
            with executor.batch():
                jobs = [executor.submit(job) for job in todo]
        except FailedJobError as error:
            said = [line for line in str(error).splitlines() if "error" in line] or [str(error)]
            raise HarnessError(
                seen=f"SLURM did not take the job: {said[-1].strip()}",
                expected="a partition, account and sizes that this cluster has: sinfo; sacctmgr",
                do="change --partition, --account, --time, --gpus, --memory or --slurm",
            ) from error
        new = {job.job_id: run.id for job, run in zip(jobs, some, strict=True)}
        folder.note_jobs(new)
        found |= new
    return found


def queue(jobs: Iterable[str]) -> dict[str, Queued] | None:
    """What SLURM knows of these jobs; it forgets one some minutes after its end.

    Returns:
        None where there is no SLURM here, or it does not answer.
    """
    numbers = sorted({job.partition("_")[0] for job in jobs}, key=int)
    if not numbers:
        return {}
    words = ["squeue", "-h", "-r", "-t", "all", "-o", "%i|%T|%r|%N", "-j", ",".join(numbers)]
    try:
        asked = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if asked.returncode != 0:
        return {} if "Invalid job id" in asked.stderr else None
    rows = [line.split("|") for line in asked.stdout.splitlines() if line.count("|") == 3]
    return {job: Queued(state, reason, node) for job, state, reason, node in rows}


def cancel(jobs: Sequence[str]) -> None:
    """Take jobs out of SLURM.

    Raises:
        HarnessError: SLURM does not answer.
    """
    asked = subprocess.run(["scancel", *jobs], capture_output=True, text=True, check=False)
    if asked.returncode != 0 and "Invalid job id" not in asked.stderr:
        raise HarnessError(
            seen=f"scancel: {asked.stderr.strip() or asked.returncode}",
            expected="a cluster that answers",
            do="try again; no further run of the sweep is started in any case",
        )


def _parameters(name: str, cluster: Cluster, count: int) -> dict[str, Any]:
    wanted = {
        "partition": cluster.partition,
        "account": cluster.account,
        "constraint": cluster.constraint,
        "cpus_per_task": cluster.cpus,
        "gpus_per_node": cluster.gpus,
        "setup": list(cluster.setup) or None,
    }
    more = {"requeue": True, **({"mem": cluster.memory} if cluster.memory else {})}
    return {
        "job_name": f"harness-{name}",
        "time": cluster.minutes,
        # A quarter of a short job, which could do nothing else.
        "signal_delay_s": min(_SIGNAL_SECONDS, cluster.minutes * 15),
        "array_parallelism": cluster.parallel or count,
        "nodes": cluster.nodes,
        "ntasks_per_node": 1,
        "stderr_to_stdout": True,
        "additional_parameters": more | dict(cluster.more),
        **{key: value for key, value in wanted.items() if value is not None},
    }


def _seen_everywhere(path: Path) -> Path:
    """An absolute path: a job may be started elsewhere than where it was submitted."""
    path.mkdir(parents=True, exist_ok=True)
    return path.absolute()
