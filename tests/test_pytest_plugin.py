"""`pytest --harness-verify` and `--harness-reproduce`, in a project of a user's own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.evidence.record import RunRecord
from harness.spec.method import Claim, MethodInfo
from harness.spec.plugins import Plugins
from harness.spec.recipe import Recipe
from harness.spec.resolve import resolve
from harness.verify.claim import check_of_determinism, checks_of_claim
from tests.forging import edit, folder_of, mend_hashes, said

pytest_plugins = ["pytester"]


@pytest.fixture
def folder(finished: Path, pytester: pytest.Pytester) -> Path:
    """The folder of a run in `runs/` of a project with a test of its own."""
    pytester.makepyfile(test_own="def test_own(): assert False")
    return folder_of(Path(shutil.copytree(finished, pytester.path / "runs")))


def _run(pytester: pytest.Pytester, *words: object) -> pytest.RunResult:
    # In this process: starting one costs more than all its checks.
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", *map(str, words))


def test_a_true_record_passes_in_a_project_of_its_own(folder: Path) -> None:
    # As a user types it, once: the plugin is found by its entry point.
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--harness-verify", "runs"]
    done = subprocess.run(words, cwd=folder.parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout and "failed" not in done.stdout
    assert "test_own" not in done.stdout


def test_each_check_is_a_test_with_a_mark(
    folder: Path, drawn: Path, pytester: pytest.Pytester
) -> None:
    found = _run(pytester, "--harness-verify", "runs", "--harness-dataset", drawn, "-v")
    found.stdout.fnmatch_lines(["*metrics mAP PASSED*", "*deterministic PASSED*"])
    assert found.parseoutcomes().keys() == {"passed"}
    marked = _run(pytester, "--harness-verify", "runs", "-m", "harness_verify", "--strict-markers")
    assert marked.ret == 0
    assert "harness_reproduce" in _run(pytester, "--markers").stdout.str()


def test_what_cannot_be_checked_is_skipped_with_the_reason(
    folder: Path, pytester: pytest.Pytester
) -> None:
    found = _run(pytester, "--harness-verify", "runs", "-rs")
    assert found.ret == 0 and found.parseoutcomes()["skipped"] == 3
    found.stdout.fnmatch_lines(["*SKIPPED*data set not here*"])


@pytest.mark.parametrize("mended", [False, True])
def test_a_changed_digit_fails_by_name(
    folder: Path, pytester: pytest.Pytester, mended: bool
) -> None:
    metrics = said(folder, "metrics")
    metrics["mAP"] = round(metrics["mAP"] + 1e-10, 10)
    edit(folder, {"metrics": metrics}, mended)
    found = _run(pytester, "--harness-verify", "runs")
    assert found.ret == 1
    found.stdout.fnmatch_lines([f"*record.json: metrics mAP: the record says {metrics['mAP']}*"])
    assert ("it was edited" in found.stdout.str()) != mended
    assert "Traceback" not in found.stdout.str()


def test_lost_evidence_fails(folder: Path, pytester: pytest.Pytester) -> None:
    (folder / "ranks.npz").unlink()
    found = _run(pytester, "--harness-verify", "runs")
    assert found.ret == 1 and "ranks.npz is missing" in found.stdout.str()


def test_evidence_of_elsewhere_is_not_read(folder: Path, pytester: pytest.Pytester) -> None:
    evidence = said(folder, "evidence")
    evidence["ranks"]["file"] = "../../../etc/passwd"
    edit(folder, {"evidence": evidence})
    found = _run(pytester, "--harness-verify", "runs")
    assert found.ret == 1 and "is not a file name beside the record" in found.stdout.str()


def test_what_is_no_record_fails_beside_the_others(folder: Path, pytester: pytest.Pytester) -> None:
    other = pytester.path / "runs" / "broken" / "1"
    other.mkdir(parents=True)
    (other / "record.json").write_text("{")
    found = _run(pytester, "--harness-verify", "runs")
    assert found.ret == 1 and found.parseoutcomes()["failed"] == 1
    assert found.parseoutcomes()["passed"] > 20
    assert "is not a record" in found.stdout.str()


@pytest.mark.parametrize("cmc", [[], [1.0] * 300])
def test_a_cmc_of_another_length_fails(
    folder: Path, pytester: pytest.Pytester, cmc: list[float]
) -> None:
    edit(folder, {"cmc": cmc})
    found = _run(pytester, "--harness-verify", "runs")
    assert found.ret == 1 and "cmc: the record" in found.stdout.str()


@pytest.mark.parametrize("field", ["names", "ap", "pids"])
def test_a_changed_or_lost_query_fails(folder: Path, pytester: pytest.Pytester, field: str) -> None:
    original = said(folder, "per_query")
    values = original[field]
    other = f"{values[0]}x" if field == "names" else (values[0] or 0) + 1
    for changed in (values[:-1], [other, *values[1:]]):
        edit(folder, {"per_query": original | {field: changed}})
        found = _run(pytester, "--harness-verify", "runs")
        assert found.ret == 1 and f"per-query {field}: the record" in found.stdout.str()


def test_an_invented_metric_fails(folder: Path, pytester: pytest.Pytester) -> None:
    edit(folder, {"metrics": said(folder, "metrics") | {"R100": 99.0}})
    found = _run(pytester, "--harness-verify", "runs")
    assert found.ret == 1 and "metrics R100: the record says 99.0" in found.stdout.str()


def test_a_folder_without_records_is_no_success(folder: Path, pytester: pytest.Pytester) -> None:
    shutil.rmtree(folder)
    assert _run(pytester, "--harness-verify", "runs").ret == pytest.ExitCode.NO_TESTS_COLLECTED
    found = _run(pytester, "--harness-verify", "nowhere")
    assert found.ret == pytest.ExitCode.USAGE_ERROR and "no such folder" in found.stderr.str()
    found = _run(pytester, "--harness-reproduce", "nothing")
    assert found.ret == pytest.ExitCode.USAGE_ERROR and "nothing" in found.stderr.str()


def test_a_run_is_trained_again(
    folder: Path, tiny: Path, drawn: Path, pytester: pytest.Pytester
) -> None:
    words = ["--harness-reproduce", folder, "--harness-plugin", tiny, "--harness-dataset", drawn]
    found = _run(pytester, *words, "-v")
    found.assert_outcomes(passed=1)
    found.stdout.fnmatch_lines(["*trained again PASSED*"])
    edit(folder, {"code_hash": "0" * 64})
    mend_hashes(folder)
    other = _run(pytester, *words)
    assert other.ret == 1 and "the record was made by 000000000000" in other.stdout.str()
    _run(pytester, *words, "--harness-allow-other-code").assert_outcomes(passed=1)


CLAIM = Claim(dataset="rgbnt201", protocol="full", source="Table 1", mAP=46.4, R1=47.1)


PAPER = """
track = "official"
source = "its paper"
epochs = 3
[sampler]
identities = 4
instances = 2
[optimiser]
lr = 0.1
"""


@pytest.fixture
def known(tmp_path: Path) -> Plugins:
    (tmp_path / "rgbnt201.toml").write_text(PAPER)
    info = MethodInfo(name="tiny", target="tiny:Tiny", claims=(CLAIM,), recipes=tmp_path)
    return Plugins(methods={"tiny": info})


def _official(folder: Path, known: Plugins, mAP: float, *changes: str) -> RunRecord:
    """A run of the paper's recipe, or of one with changes that calls itself so nevertheless."""
    record = json.loads((folder / "record.json").read_text())
    recipe = resolve(known.method("tiny"), "rgbnt201", "rgbnt201", "full", changes).recipe
    record["dataset"] |= {"name": "rgbnt201", "label": "rgbnt201", "published_list": True}
    record["metrics"] |= {"mAP": mAP, "R1": 47.1}
    record["recipe"] = {**recipe.dumped(), "track": "official"}
    record["recipe_hash"] = Recipe.model_validate(record["recipe"]).hash
    return RunRecord.model_validate(record)


def test_an_official_run_is_held_against_its_paper(finished: Path, known: Plugins) -> None:
    folder = folder_of(finished)
    near = list(checks_of_claim(_official(folder, known, 44.0), known, 3.0))
    assert [c.status for c in near] == ["holds", "holds"]
    short = list(checks_of_claim(_official(folder, known, 40.0), known, 3.0))
    assert short[0].name == "claim mAP"
    assert "40.00, 6.40 points below the 46.4 of Table 1" in short[0].problem


def test_other_recipes_and_sets_are_not_held_against_it(finished: Path, known: Plugins) -> None:
    folder = folder_of(finished)
    changed = list(checks_of_claim(_official(folder, known, 40.0, "epochs=2"), known, 3.0))
    assert {c.status for c in changed} == {"not checked"}
    assert "changed from rgbnt201: epochs = 2" in changed[0].unchecked
    drawn = RunRecord.model_validate(json.loads((folder / "record.json").read_text()))
    assert not list(checks_of_claim(drawn, known, 3.0))


def test_a_run_that_did_not_ask_for_determinism_is_named(finished: Path) -> None:
    record = RunRecord.model_validate(json.loads((folder_of(finished) / "record.json").read_text()))
    assert not check_of_determinism(record).problem
    loose = record.model_copy(update={"environment": {"deterministic": False}})
    assert "deterministic = False" in check_of_determinism(loose).problem
