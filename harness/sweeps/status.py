"""How far a sweep is, from the run folders and SLURM: on any login node, whoever started it."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from harness.base.lease import Holder, holder_of
from harness.sweeps.folder import SweepFolder, Try
from harness.sweeps.run import SweepRun
from harness.sweeps.slurm import Queued, queue

Word = Literal["done", "running", "waiting", "failed", "cancelled"]
WORDS: tuple[Word, ...] = ("done", "running", "waiting", "failed", "cancelled")
# A process that was just started and does not hold its run's lock yet.
_STARTING = 60.0


class Seen(NamedTuple):
    """A run as it is now.

    Attributes:
        reason: Why it waits or failed, in one line.
        alive: Whether something works on it, or will without anybody's doing.
        epoch, epochs: Of a training that is going on; 0 where it is not known.
        since: When its process began, in UTC.
        left: Seconds that the training still takes at its pace so far.
        node: Where it runs.
        job: Of SLURM.
    """

    run: SweepRun
    state: Word
    reason: str = ""
    alive: bool = False
    epoch: int = 0
    epochs: int = 0
    since: str = ""
    left: float | None = None
    node: str = ""
    job: str = ""
    tries: int = 0


class Seeing(NamedTuple):
    """A sweep as it is now.

    Attributes:
        slurm: Whether SLURM answered, where the sweep has jobs in it.
    """

    runs: tuple[Seen, ...]
    slurm: bool

    @property
    def alive(self) -> bool:
        """Whether anything goes on."""
        return any(seen.alive for seen in self.runs)

    def counts(self) -> dict[Word, int]:
        """How many runs are in each state."""
        return {word: sum(s.state == word for s in self.runs) for word in WORDS}


def look(folder: SweepFolder, runs: Sequence[SweepRun]) -> Seeing:
    """How far each run is."""
    jobs = folder.jobs()
    latest = {run: job for job, run in jobs.items()}
    queued = queue(jobs)
    cancelled = folder.cancelled
    seen = []
    for run in runs:
        job = latest.get(run.id, "")
        there = None if queued is None else queued.get(job)
        tried = folder.tried(run.id)
        known = Seen(run, "waiting", job=job, tries=tried.tries if tried else 0)
        facts = _Facts(known, folder, tried, there, queued is None and bool(job), cancelled)
        seen.append(next(s for rule in _RULES if (s := rule(facts)) is not None))
    return Seeing(tuple(seen), queued is not None)


class _Facts(NamedTuple):
    """What is known of a run before anything is concluded from it.

    Attributes:
        there: Its last job, as long as SLURM remembers it.
        unknown: It has a job, and SLURM does not answer.
        cancelled: The whole sweep was.
    """

    known: Seen
    folder: SweepFolder
    tried: Try | None
    there: Queued | None
    unknown: bool
    cancelled: bool


def _if_held(facts: _Facts) -> Seen | None:
    """A process that works on the run, of this sweep or not, says most."""
    holder = holder_of(facts.known.run.lock(facts.folder.out))
    return None if holder is None else _running(facts.known, facts.folder, holder)


def _if_pending(facts: _Facts) -> Seen | None:
    """How an earlier try ended is history as soon as the job is queued again."""
    there = facts.there
    if there is None or there.over or there.state in ("RUNNING", "COMPLETING"):
        return None
    reason = ": ".join(w for w in (there.state.lower(), there.reason) if w not in ("None", ""))
    return facts.known._replace(reason=reason, alive=True)


def _if_final(facts: _Facts) -> Seen | None:
    final = _final(facts.known.run, facts.folder, facts.tried)
    return None if final is None else facts.known._replace(state=final[0], reason=final[1])


def _if_in_the_queue(facts: _Facts) -> Seen | None:
    if facts.unknown:
        return facts.known._replace(reason="SLURM does not answer", alive=True)
    if facts.there is None or facts.there.over:
        return None
    return facts.known._replace(
        state="running", reason="starting or ending", alive=True, node=facts.there.node
    )


def _if_gone(facts: _Facts) -> Seen | None:
    """Something was to make the run, and nothing is there any more."""
    known, tried, there = facts.known, facts.tried, facts.there
    if there is not None and there.state == "CANCELLED":
        return known._replace(state="cancelled", reason="its job was cancelled")
    if tried is not None and tried.state == "running":
        if _starting(tried):
            return known._replace(state="running", reason="starting", alive=True, node=tried.host)
        return known._replace(state="failed", reason=_lost(tried, there))
    if there is not None and there.state != "COMPLETED":
        return known._replace(state="failed", reason=f"its job ended: {there.state.lower()}")
    return None


def _else(facts: _Facts) -> Seen:
    if facts.cancelled:
        return facts.known._replace(state="cancelled")
    reason = ""
    if facts.tried is not None and facts.tried.state == "stopped":
        reason = "stopped and saved; starting the sweep again goes on from it"
    return facts.known._replace(reason=reason)


_RULES: tuple[Callable[[_Facts], Seen | None], ...] = (
    _if_held,
    _if_pending,
    _if_final,
    _if_in_the_queue,
    _if_gone,
    _else,
)


def _final(run: SweepRun, folder: SweepFolder, tried: Try | None) -> tuple[Word, str] | None:
    record = folder.out / run.folder / "record.json"
    ended = tried is not None and tried.state in ("failed", "cancelled")
    if record.is_file():
        # A failure before the record came is history.
        newer = ended and tried is not None and _seconds(tried.ended) > record.stat().st_mtime
        if not newer:
            return "done", ""
    if tried is None or not ended:
        return None
    return ("failed" if tried.state == "failed" else "cancelled"), tried.error


def _running(known: Seen, folder: SweepFolder, holder: Holder) -> Seen:
    epoch, epochs, pace, age = 0, 0, 0.0, 0.0
    path = folder.out / known.run.folder / "progress.json"
    with contextlib.suppress(OSError, ValueError, KeyError):
        told = json.loads(path.read_text(encoding="utf-8"))
        epoch, epochs, pace = told["epoch"], told["epochs"], told["seconds_an_epoch"]
        age = max(0.0, time.time() - path.stat().st_mtime)
    left = max(0.0, (epochs - epoch) * pace - age) if epochs else None
    return known._replace(
        state="running",
        alive=True,
        epoch=epoch,
        epochs=epochs,
        since=holder.since,
        left=left,
        node=holder.host,
        job=holder.job and known.job,
    )


def _starting(tried: Try) -> bool:
    if tried.host == socket.gethostname() and not tried.job:
        return Path(f"/proc/{tried.pid}").exists()
    return time.time() - _seconds(tried.started) < _STARTING


def _lost(tried: Try, there: Queued | None) -> str:
    why = "its process is gone without a word: killed, or its machine died"
    if there is not None:
        why += f" (SLURM: {there.state.lower()})"
    elif tried.job:
        why += f" (sacct -j {tried.job} may know)"
    return why


def _seconds(text: str) -> float:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).timestamp()
    except ValueError:
        return 0.0
