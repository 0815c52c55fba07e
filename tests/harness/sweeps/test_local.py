"""Sweeps on one machine: nothing is done twice, nothing is lost, and all of it is told."""

from __future__ import annotations

import json
import signal

from tests.harness.sweeps.conftest import Bench


def test_a_failing_run_stops_no_other_and_a_second_start_does_what_is_missing(
    bench: Bench,
) -> None:
    broken = '[[runs]]\nmethod = "quick"\nseeds = [1]\nset = ["size=6"]\n'
    plan = bench.plan("grid", sizes=[4], seeds=[1, 2], more=broken)
    (bench.folder / "break-6").touch()
    first = bench.sweep(plan, "--jobs", 2)
    assert first.code == 2
    assert first.json["states"] == {
        "done": 2, "running": 0, "waiting": 0, "failed": 1, "cancelled": 0,
    }  # fmt: skip
    (run,) = [run for run in first.json["runs"] if run["state"] == "failed"]
    assert "a part fell off" in run["reason"]
    logs = bench.harness("sweep", "logs", run["run"], "--out", bench.out)
    assert "a part fell off" in logs.out
    (row,) = first.json["tables"][0]["rows"]
    assert row["seeds"] == [1, 2] and row["sd"]["mAP"] >= 0
    (bench.folder / "break-6").unlink()
    again = bench.sweep(plan)
    assert again.code == 0 and again.json["states"]["done"] == 3
    assert (bench.trained(4), bench.trained(6)) == (2, 1), "a finished run was trained again"
    assert len(again.json["tables"][0]["rows"]) == 2
    record = json.loads(next(bench.out.glob("*/1/record.json")).read_text())
    assert record["sweep"] == "grid"
    third = bench.sweep(plan, "--dry-run")
    assert all(run["done"] for run in third.json["runs"])
    assert third.json["estimate"] == {"seconds": 0, "known": 0, "unknown": 0}
    more = bench.sweep(plan, "--dry-run", "--seeds", "1,3").json
    assert [run["done"] for run in more["runs"]] == [True, False] * 2
    assert more["estimate"]["known"] == 2 and more["estimate"]["seconds"] > 0


def test_of_two_sweeps_at_once_each_run_is_trained_by_one(bench: Bench) -> None:
    plan = bench.plan("twice", sizes=[4], seeds=[1])
    bench.hold(4)
    first, second = bench.begin(plan), bench.begin(plan)
    bench.wait_for(lambda: bench.trained(4) == 1)
    said = bench.folder / "begun.err"
    bench.wait_for(lambda: said.read_text().count("waiting for it") == 1)
    assert bench.states() == {"/1": "running"}
    bench.folder.joinpath("hold-4").unlink()
    answers = [json.loads(p.communicate(timeout=300)[0]) for p in (first, second)]
    assert [a["states"]["done"] for a in answers] == [1, 1]
    assert bench.trained(4) == 1
    assert answers[0]["tables"] == answers[1]["tables"]


def test_a_sweep_that_is_stopped_or_cancelled_goes_on_to_the_same_weights(bench: Bench) -> None:
    plan = bench.plan("stopped", sizes=[4], seeds=[1])
    hold = bench.hold(4)
    begun = bench.begin(plan)
    bench.wait_for((bench.folder / "held-4").exists)
    begun.send_signal(signal.SIGTERM)
    bench.wait_for(lambda: "save themselves" in (bench.folder / "begun.err").read_text())
    hold.unlink()
    assert begun.wait(240) == 130
    (run,) = bench.status()["runs"]
    assert run["state"] == "waiting" and "goes on from it" in run["reason"]
    assert not list(bench.out.glob("*/1/record.json"))
    hold.touch()
    begun = bench.begin(plan)
    bench.wait_for(lambda: "going on after epoch 0, step 3" in _log(bench))
    hold.unlink()
    assert begun.wait(240) == 0
    bench.out = bench.folder / "whole"
    assert bench.sweep(plan).code == 0
    assert bench.weights("runs") == bench.weights("whole") != {}


def test_two_processes_make_one_run_and_find_it_done(bench: Bench) -> None:
    plan = bench.plan("both", sizes=[4], seeds=[1])
    assert bench.sweep(plan, "--gpus-per-run", 2).json["states"]["done"] == 1
    record = json.loads(next(bench.out.glob("*/1/record.json")).read_text())
    assert record["environment"]["processes"] == 2
    assert bench.trained(4) == 2
    (run,) = bench.sweep(plan, "--gpus-per-run", 2, "--dry-run").json["runs"]
    assert run["done"]
    (run,) = bench.sweep(plan, "--dry-run").json["runs"]
    assert not run["done"], "one process adds in another order"


def test_a_table_is_filled_by_a_sweep(bench: Bench) -> None:
    plan = bench.folder / "small.toml"
    plan.write_text(
        'title = "Small"\nmetrics = ["mAP"]\n[[columns]]\nname = "all"\n'
        'dataset = "rgbnt201"\n[[rows]]\nlabel = "Quick"\nmethod = "quick"\n'
        'set = ["size=4", "epochs=1", "input.height=16", "input.width=16"]\n'
    )
    words = ["table", plan, "--dataset", bench.data, "--track", "smoke", "--seeds", 1]
    words += ["--plugin", bench.plugin, "--out", bench.out, "--device", "cpu", "--json"]
    (cell,) = bench.harness(*words, "--run", "--on", "local").json["panels"][0]["rows"]
    assert cell["seeds"] == [1] and cell["missing_seeds"] == []
    assert bench.states("small") == {"/1": "done"}


def _log(bench: Bench) -> str:
    return "".join(log.read_text() for log in bench.out.glob("sweeps/*/logs/*.log"))
