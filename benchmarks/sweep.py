"""What a sweep adds to each of its runs, here and on SLURM, beside a bare loop of the shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from harness.bench import Asked, Row, Spread, run_script

if TYPE_CHECKING:
    from harness.sweeps.child import How
    from harness.sweeps.run import SweepRun

RUNS = 200


def rows(asked: Asked) -> list[Row]:
    """Seconds a run, of so many runs that do nothing: each is the program `true`.

    The loop starts one after the other; `--on local` one at a time; SLURM as many as it has cores.
    """
    with tempfile.TemporaryDirectory() as folder:
        loop = [_loop() for _ in range(asked.repeats)]
        here = [_here(Path(folder) / f"here{n}") for n in range(asked.repeats)]
        with _cluster() as why:
            there = []
            if not why:
                there = [_slurm(Path(folder) / f"slurm{n}") for n in range(asked.repeats)]
    what = f"a run of {RUNS} that do nothing"
    return [
        Row(f"{what}, shell loop", Spread.of(loop)),
        Row(f"{what}, `--on local`", Spread.of(here)),
        Row(f"{what}, `--on slurm`", Spread.of(there) if there else None, note=why),
    ]


def _loop() -> float:
    started = time.monotonic()
    loop = f"for i in $(seq {RUNS}); do {shutil.which('true')}; done"
    subprocess.run(["bash", "-c", loop], check=True)
    return (time.monotonic() - started) / RUNS


def _here(out: Path) -> float:
    from harness.sweeps.folder import SweepFolder
    from harness.sweeps.local import run_here

    folder, runs = SweepFolder(out, "nothing"), _runs()
    started = time.monotonic()
    folder.keep("local", 1, runs)
    outcomes = run_here(runs, folder, _nothing(), [{}])
    assert [o.state for o in outcomes.values()] == ["done"] * RUNS
    return (time.monotonic() - started) / RUNS


def _slurm(out: Path) -> float:
    from harness.sweeps import job, slurm
    from harness.sweeps.folder import SweepFolder

    class Nothing(job.Job):
        @property
        def how(self) -> job.How:
            return _nothing()

    folder, runs = SweepFolder(out, "nothing"), _runs()
    started = time.monotonic()
    folder.keep("slurm", 1, runs)
    with mock.patch.object(slurm, "Job", Nothing):
        jobs = slurm.submit(runs, folder, slurm.Cluster(cpus=1, minutes=60), publish=False)
    while any(not q.over for q in (slurm.queue(jobs) or {}).values()):
        time.sleep(0.5)
    tried = [folder.tried(run.id) for run in runs]
    assert all(one is not None and one.state == "done" for one in tried)
    return (time.monotonic() - started) / RUNS


def _nothing() -> How:
    from harness.sweeps.child import How

    class Nothing(How):
        def words(self, run: SweepRun) -> list[str]:
            return ["true"]

    return Nothing("nothing")


def _runs() -> list[SweepRun]:
    from harness.sweeps.run import SweepRun

    about = {"method": "none", "dataset": "none", "recipe_hash": "", "changes": (), "words": ()}
    return [
        SweepRun(id=f"none-{n}", label="none", seed=n, folder=f"none/{n}", **about)
        for n in range(RUNS)
    ]


@contextmanager
def _cluster() -> Iterator[str]:
    """The cluster that is here, or the one of the tests; else why there is none."""
    if "SLURM_CONF" in os.environ or Path("/etc/slurm/slurm.conf").exists():
        yield ""
        return
    from tests import slurm

    try:
        running = slurm.running()
        running.__enter__()
    except BaseException as error:  # pytest's way of skipping is no Exception
        if type(error).__name__ != "Skipped":
            raise
        yield f"Not measured: {error}."
        return
    try:
        yield ""
    finally:
        running.__exit__(None, None, None)


if __name__ == "__main__":
    run_script(__file__, rows, repeats=3)
