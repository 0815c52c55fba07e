"""Plans of sweeps: what they multiply to, and what is said before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import PlanError, StoreError
from harness.sweeps.plan import Wanted, read_sweep
from harness.sweeps.slurm import further, minutes_of, publishes
from tests.conftest import Harness
from tests.harness.sweeps.conftest import Bench


def test_lists_multiply_and_keys_at_the_top_are_defaults(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(
        """
        dataset = "a"
        seeds = [1, 2]
        set = ["epochs=3"]

        [[runs]]
        method = ["ieee", "timm"]
        protocol = "full"
        grid.lr = ["optimiser.lr=0.1", "optimiser.lr=0.2"]

        [[runs]]
        method = "ieee"
        dataset = ["b", "c"]
        set = ["epochs=4"]
        seeds = [7]
        """
    )
    plan = read_sweep(path)
    assert plan.name == "grid"
    wanted = plan.wanted()
    assert len(wanted) == 2 * 2 * 2 + 2
    assert wanted[0] == Wanted("ieee", "a", "full", None, ("epochs=3", "optimiser.lr=0.1"), 1)
    assert wanted[7] == Wanted("timm", "a", "full", None, ("epochs=3", "optimiser.lr=0.2"), 2)
    assert wanted[9] == Wanted("ieee", "c", None, None, ("epochs=3", "epochs=4"), 7)
    assert [one.seed for one in plan.wanted([5])] == [5] * (2 * 2 + 2)


@pytest.mark.parametrize(
    ("text", "seen", "do"),
    [
        ('[[runs]]\nmethd = "ieee"\n', "unknown key runs[1].methd", "did you mean 'method'?"),
        ('[[runs]]\nmethod = "ieee"\nseeds = [-1]\n', "runs[1].seeds[1] = -1", "mend"),
        ('seed = 1\n[[runs]]\nmethod = "ieee"\n', "unknown key seed", "did you mean 'seeds'?"),
        ('[[runs]]\nrecipe = "smoke"\n', "the plan", "mend"),
        ('method = "ieee"\n', "no runs", "add it"),
        ('name = "../x"\n[[runs]]\nmethod = "ieee"\n', "a sweep called '../x'", "rename"),
        ("[[runs\n", "is not TOML", "mend the line"),
    ],
)
def test_what_is_wrong_with_a_plan_is_named(tmp_path: Path, text: str, seen: str, do: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(PlanError) as caught:
        read_sweep(path)
    assert seen in caught.value.seen
    assert do in caught.value.do


def test_all_that_is_in_the_way_is_said_at_once_and_nothing_is_started(bench: Bench) -> None:
    more = """
[[runs]]
method = "quick"
dataset = "nowhere"

[[runs]]
method = "qick"

[[runs]]
method = "quick"
protocol = "RGB-to-NI"
set = ["optimiser.lrr=1"]
"""
    plan = bench.plan("bad", sizes=[4], seeds=[1, 2], more=more)
    for words in ([plan, "--dry-run"], [plan]):
        answer = bench.sweep(*words)
        assert answer.code == 2
        problems = answer.json["problems"]
        assert [p["runs"] for p in problems] == [2, 2, 2]
        text = str(problems)
        assert "nowhere" in text and "did you mean 'quick'?" in text and "'RGB-to-NI'" in text
        assert len(answer.json["runs"]) == 2
    assert not (bench.out / "sweeps").exists()
    assert bench.trained(4) == 0


def test_words_that_do_not_fit_together_are_refused(bench: Bench) -> None:
    plan = bench.plan("grid", sizes=[4], seeds=[1])
    for words, seen in (
        (["--on", "mars"], "mars"),
        (["--track", "common"], "--track beside a plan of a sweep"),
        (["--nodes-per-run", 2], "--nodes-per-run 2 --on local"),
        (["--time", "soon"], "--time soon"),
        (["--slurm", "array=1-3"], "--slurm array=1-3"),
    ):
        answer = bench.sweep(plan, *words)
        assert answer.code == 2 and seen in answer.error["seen"]
    assert bench.harness("sweep", "status", "--out", bench.out, "--json").error["do"]


def test_times_as_slurm_writes_them() -> None:
    texts = ("90", "90:30", "1:30:00", "2-12", "2-0:30", "1-00:00:01")
    assert [minutes_of(text) for text in texts] == [90, 91, 90, 3600, 2910, 1441]
    assert further(["qos=low", "--exclusive"]) == (("qos", "low"), ("exclusive", True))


def test_sqlite_is_refused_for_several_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not publishes()
    monkeypatch.setenv("HARNESS_STORE", "postgresql://keeper@host/reid")
    assert publishes()
    monkeypatch.setenv("HARNESS_STORE", "sqlite:////shared/store.db")
    with pytest.raises(StoreError, match="several machines") as caught:
        publishes()
    assert "harness store import" in caught.value.do


def test_a_table_is_a_plan_too(harness: Harness, tmp_path: Path) -> None:
    words = ["sweep", "ieee-table3", "--dry-run", "--seeds", "1,2", "--out", tmp_path, "--json"]
    found = harness(*words).json
    assert found["sweep"] == "ieee-table3"
    assert len(found["runs"]) > 4 and {run["seed"] for run in found["runs"]} == {1, 2}
    assert {run["method"] for run in found["runs"]} >= {"ieee"}
