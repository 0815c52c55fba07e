"""Sweeps on a real SLURM of two nodes, which are both this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from harness.store import open_store
from tests import postgres, slurm
from tests.harness.sweeps.conftest import Bench
from tests.slurm import Cluster

ON = ("--on", "slurm", "--cpus", 1, "--time", 10)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with slurm.running() as found:
        yield found


def test_an_array_goes_on_without_its_submitter_and_while_the_controller_is_away(
    bench: Bench, cluster: Cluster
) -> None:
    """Six runs, one of which fails; each is trained once, though the sweep is started twice."""
    broken = '[[runs]]\nmethod = "quick"\nseeds = [1]\nset = ["size=6"]\n'
    plan = bench.plan("array", sizes=[4], seeds=[1, 2, 3, 4, 5], more=broken)
    (bench.folder / "break-6").touch()
    hold = bench.hold(4)
    submitter = bench.begin(plan, *ON)
    bench.wait_for((bench.out / "sweeps" / "array" / "jobs.jsonl").exists)
    submitter.kill()
    submitter.wait()
    bench.wait_for((bench.folder / "held-4").exists)
    cluster.stop_controller()
    away = bench.status()
    assert not away["slurm"] and away["states"]["running"] >= 1
    assert bench.sweep(plan, *ON).error["seen"].startswith("SLURM does not answer")
    hold.unlink()
    bench.wait_for(lambda: list(bench.out.glob("*/*/record.json")))
    cluster.start_controller()
    again = bench.sweep(plan, *ON)
    assert again.code == 2, again.err
    assert again.json["states"] | {"done": 5, "failed": 1} == again.json["states"]
    assert "under way" in again.err
    (failed,) = [run for run in again.json["runs"] if run["state"] == "failed"]
    assert "a part fell off" in failed["reason"]
    assert bench.trained(4) == 5, "a run was trained twice"
    # Nothing was published by the nodes; the command that waited brought it into the store.
    found = bench.harness("list", "runs", "--out", bench.out, "--json").json
    assert len(found["runs"]) == 5
    assert len(again.json["tables"][0]["rows"]) == 1


def test_a_job_that_slurm_takes_away_is_queued_again_and_ends_with_the_same_weights(
    bench: Bench, cluster: Cluster
) -> None:
    plan = bench.plan("taken", sizes=[4], seeds=[1])
    hold = bench.hold(4)
    begun = bench.begin(plan, *ON)
    bench.wait_for((bench.folder / "held-4").exists)
    (job,) = cluster.queued()
    cluster.say("scancel", "--signal=USR2", job)
    # The run may have heard it or not when its step ends; it is asked again by its job.
    hold.unlink()
    answer = json.loads(begun.communicate(timeout=300)[0])
    assert answer["states"]["done"] == 1
    (run,) = answer["runs"]
    assert run["tries"] == 2, "it was not interrupted"
    log = bench.harness("sweep", "logs", run["run"], "--out", bench.out).out
    assert "stopped by signal 12 after step" in log
    # In which epoch it heard the signal is the machine's to say.
    assert re.search(r"going on after epoch [01], step [1-5]", log)
    bench.out = bench.folder / "whole"
    assert bench.sweep(plan).code == 0
    assert bench.weights("runs") == bench.weights("whole") != {}


def test_a_full_disk_and_a_cancelled_sweep_lose_nothing(bench: Bench, cluster: Cluster) -> None:
    """A limit on the size of files answers as a full disk or a quota does."""
    plan = bench.plan("full", sizes=[64], seeds=[1])
    full = bench.sweep(plan, *ON, "--setup", "ulimit -f 64")
    assert full.code == 2
    assert "no space left in" in full.json["runs"][0]["reason"]
    assert not list(bench.out.glob("*/*/weights*"))
    bench.hold(64)
    bench.begin(plan, *ON, "--no-wait").wait()
    bench.wait_for((bench.folder / "held-64").exists)
    cancelled = bench.harness("sweep", "cancel", "--out", bench.out, "--json").json
    assert len(cancelled["jobs"]) == 1
    bench.wait_for(lambda: not cluster.queued())
    assert bench.states() == {"/1": "cancelled"}
    (bench.folder / "hold-64").unlink()
    assert bench.sweep(plan, *ON).json["states"]["done"] == 1


@pytest.mark.slow
def test_a_run_of_two_machines_is_taken_away_and_goes_on(bench: Bench, cluster: Cluster) -> None:
    """Torchrun on both meets at the first one's address, which SLURM tells."""
    plan = bench.plan("wide", sizes=[4], seeds=[1])
    wide = (*ON, "--nodes-per-run", 2)
    hold = bench.hold(4)
    begun = bench.begin(plan, *wide)
    bench.wait_for((bench.folder / "held-4").exists)
    (job,) = cluster.queued()
    cluster.say("scancel", "--signal=USR2", job)
    hold.unlink()
    answer = json.loads(begun.communicate(timeout=300)[0])
    assert answer["states"]["done"] == 1
    record = json.loads(next(bench.out.glob("*/1/record.json")).read_text())
    about = record["environment"]
    assert (about["processes"], about["machines"]) == (2, 2)
    log = bench.harness("sweep", "logs", answer["runs"][0]["run"], "--out", bench.out).out
    assert "going on after epoch" in log
    bench.out = bench.folder / "whole"
    assert bench.sweep(plan, "--gpus-per-run", 2).code == 0
    assert bench.weights("runs") == bench.weights("whole") != {}


@pytest.mark.slow
def test_jobs_publish_into_a_teams_store_and_nowhere_else(
    bench: Bench, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres.running() as server:
        monkeypatch.setenv("HARNESS_STORE", server.new())
        plan = bench.plan("team", sizes=[4], seeds=[1])
        assert bench.sweep(plan, *ON).json["states"]["done"] == 1
        assert [s.sweep for s in open_store(bench.out).summaries()] == ["team"]
        kept = [p for p in bench.out.rglob("*") if p.is_file()]
        assert not (bench.out / "store.db").exists()
        assert not any(postgres.PASSWORD.encode() in p.read_bytes() for p in kept)
