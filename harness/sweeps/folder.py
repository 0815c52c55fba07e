"""What a sweep keeps on disk, so that any process on any machine can tell how far it is.

`OUT/sweeps/NAME/` holds `plan.json` (its runs), `runs/ID.json` (how the last try of each went),
`logs/ID.log` (what it said), `jobs.jsonl` (which SLURM job is which run), `slurm/` (submitit's own)
and, after `harness sweep cancel`, the file `cancelled`.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.base.errors import StoreError, UnknownNameError
from harness.base.files import write_json
from harness.evidence.record import require_sweep_name
from harness.sweeps.run import SweepRun

State = Literal["running", "done", "failed", "stopped", "cancelled"]


class Kept(BaseModel):
    """A sweep as it was last started.

    Attributes:
        on: local or slurm.
        processes: By how many one run is made.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    on: str
    processes: int
    created: str
    runs: tuple[SweepRun, ...]


class Try(BaseModel):
    """How the last try of a run went.

    Attributes:
        state: `stopped` was asked to stop and goes on when it is started again.
        host, pid, job: Of the process that looked after it; no job outside SLURM.
        tries: How often it was started.
        error: The last error, in one line.
    """

    model_config = ConfigDict(frozen=True)

    state: State
    host: str
    pid: int
    job: str = ""
    tries: int = 1
    started: str
    ended: str = ""
    error: str = ""


class SweepFolder:
    """The folder of one sweep.

    Args:
        out: The `--out` folder.
        name: Of the sweep.
    """

    def __init__(self, out: Path, name: str) -> None:
        self.out, self.name = out, require_sweep_name(name)
        self.path = out / "sweeps" / name

    @property
    def slurm(self) -> Path:
        """Where submitit keeps what it needs."""
        return self.path / "slurm"

    @property
    def lock(self) -> Path:
        """Held while jobs are submitted."""
        return self.path / ".lock"

    def log(self, run: str) -> Path:
        """What a run said, try after try."""
        return self.path / "logs" / f"{run}.log"

    def keep(self, on: str, processes: int, runs: Iterable[SweepRun]) -> None:
        """Write what the sweep is; what was cancelled before is wanted again."""
        self.log("").parent.mkdir(parents=True, exist_ok=True)
        kept = Kept(name=self.name, on=on, processes=processes, created=now(), runs=tuple(runs))
        write_json(self.path / "plan.json", kept.model_dump(mode="json"))
        (self.path / "cancelled").unlink(missing_ok=True)

    def read(self) -> Kept:
        """What was kept.

        Raises:
            UnknownNameError: There is no such sweep.
            StoreError: Its file is damaged.
        """
        path = self.path / "plan.json"
        try:
            return Kept.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise UnknownNameError(
                "sweep", self.name, names(self.out), do="harness sweep PLAN.toml starts one"
            ) from error
        except ValidationError as error:
            raise StoreError(
                seen=f"{path} is not a sweep: {str(error).splitlines()[0]}",
                expected="plan.json as harness sweep writes it",
                do="start the sweep again: what is done is not done twice",
            ) from error

    def note(self, run: str, tried: Try) -> None:
        """Keep how a try goes."""
        write_json(self.path / "runs" / f"{run}.json", tried.model_dump(mode="json"))

    def tried(self, run: str) -> Try | None:
        """How the last try went; None where there was none."""
        with contextlib.suppress(OSError, ValidationError):
            return Try.model_validate_json((self.path / "runs" / f"{run}.json").read_bytes())
        return None

    def forget(self, run: str) -> None:
        """Keep nothing of a try that was none, because another process has the run."""
        (self.path / "runs" / f"{run}.json").unlink(missing_ok=True)

    def cancel(self) -> None:
        """Let no further run of this sweep be started."""
        (self.path / "cancelled").touch()

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled since it was last started."""
        return (self.path / "cancelled").exists()

    def note_jobs(self, jobs: dict[str, str]) -> None:
        """Add which SLURM job (`123_4`) is which run."""
        line = json.dumps({"submitted": now(), "jobs": jobs}) + "\n"
        with (self.path / "jobs.jsonl").open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def jobs(self) -> dict[str, str]:
        """The run of every SLURM job that was ever submitted, oldest first."""
        found: dict[str, str] = {}
        with contextlib.suppress(FileNotFoundError):
            for line in (self.path / "jobs.jsonl").read_text(encoding="utf-8").splitlines():
                found |= json.loads(line)["jobs"]
        return found


def names(out: Path) -> list[str]:
    """The sweeps of an `--out` folder, the last one started first."""
    plans = (out / "sweeps").glob("*/plan.json")
    return [p.parent.name for p in sorted(plans, key=lambda p: -p.stat().st_mtime)]


def now() -> str:
    """In UTC, ISO, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
