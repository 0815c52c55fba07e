"""`harness reproduce`: the same bits where they can be asked for, close numbers elsewhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import UnknownNameError
from harness.evidence.record import RunRecord
from harness.evidence.trust import Trust
from harness.spec.plugins import load_plugins
from harness.store import open_store
from harness.verify.reproduce import compare_again, fresh_folder, method_of
from tests.conftest import Harness
from tests.forging import edit, folder_of, mend_hashes, said


@pytest.fixture
def out(harness: Harness, finished: Path, tmp_path: Path) -> Path:
    found = Path(shutil.copytree(finished, tmp_path / "runs"))
    assert harness("store", "rebuild", "--out", found).code == 0
    return found


@pytest.fixture
def again(harness: Harness, tiny: Path, drawn: Path, out: Path) -> Callable[..., Any]:
    def run(what: object, *words: object) -> Any:
        always = ["--plugin", tiny, "--dataset", drawn, "--out", out, "--json"]
        return harness("reproduce", what, *always, *words)

    return run


def test_a_run_trained_again_here_is_the_same_bits(
    again: Callable[..., Any], harness: Harness, out: Path, drawn: Path
) -> None:
    run_id = said(folder_of(out), "run_id")
    done = again(run_id)
    assert done.code == 0, done.err
    found = done.json
    assert found["tolerance"] == "identical" and found["identical"] and found["trust"] == "rerun"
    assert Path(found["record"]).parents[2] == out / "reproduced" / run_id
    assert [s.trust for s in open_store(out).summaries()] == [Trust.RERUN], "it is no second run"
    # What holds stays what it was; what fails falls to the ground.
    words = ["verify", run_id, "--out", out, "--dataset", drawn, "--json"]
    assert harness(*words).json["trust"] == "rerun"
    (folder_of(out) / "ranks.npz").unlink()
    assert harness(*words).json["trust"] == "reported"
    assert fresh_folder(out, run_id) == out / "reproduced" / f"{run_id}.2"
    # Wherever it is carried, it is evidence of its run.
    shutil.move(out / "reproduced" / run_id, out / "elsewhere")
    rebuilt = harness("store", "rebuild", "--out", out, "--json").json
    assert [one["run_id"] for one in rebuilt["reproductions"]] == [run_id]
    assert [s.run_id for s in open_store(out).summaries()] == [run_id]


def test_other_code_is_said_and_goes_on_only_when_allowed(
    again: Callable[..., Any], out: Path, harness: Harness
) -> None:
    (out / "store.db").unlink()
    folder = folder_of(out)
    edit(folder, {"code_hash": "0" * 64})
    mend_hashes(folder)
    assert harness("store", "rebuild", "--out", out).code == 0
    refused = again(folder)
    assert refused.code == 2 and "made by 000000000000" in refused.error["seen"]
    assert "--allow-other-code" in refused.error["do"]
    # By the row's name on the leaderboard this time.
    done = again(said(folder, "recipe_hash")[:12], "--allow-other-code")
    assert done.code == 0 and done.json["tolerance"] == "close" and done.json["identical"]
    assert done.json["why"][0].startswith("code: 000000000000 then")


def test_what_does_not_hold_is_not_trained(again: Callable[..., Any], out: Path) -> None:
    edit(folder_of(out), {"queries": 15})
    refused = again(folder_of(out))
    assert refused.code == 2 and "does not hold: queries" in refused.error["seen"]


def test_the_data_must_be_there_and_the_same(harness: Harness, out: Path, tiny: Path) -> None:
    words = ["reproduce", folder_of(out), "--plugin", tiny, "--out", out, "--json"]
    refused = harness(*words)
    assert refused.error["kind"] == "DatasetNotFoundError"
    assert refused.error["do"] == "name it: --dataset FOLDER"
    other = harness(*words, "--dataset", "synthetic")
    assert other.code == 2 and "data set: " in other.error["seen"]


def test_a_folder_that_is_not_fresh_is_refused(again: Callable[..., Any], out: Path) -> None:
    refused = again(folder_of(out), "--into", out)
    assert refused.code == 2 and "a fresh folder" in refused.error["expected"]


def _record(finished: Path, change: Callable[[dict[str, Any]], None]) -> RunRecord:
    found = json.loads((folder_of(finished) / "record.json").read_text())
    change(found)
    return RunRecord.model_validate(found)


def _as_it_is(record: dict[str, Any]) -> None:
    pass


def _more_threads(record: dict[str, Any]) -> None:
    record["environment"]["threads"] += 7


def _other_weights(record: dict[str, Any]) -> None:
    record["evidence"]["weights"]["sha256"] = "0" * 64


def _worse(record: dict[str, Any]) -> None:
    """Every query half as good, on another machine."""
    _more_threads(record)
    record["per_query"]["ap"] = [v / 2 for v in record["per_query"]["ap"]]
    record["metrics"]["mAP"] /= 2


def test_one_other_bit_is_out_of_the_tolerance_of_the_same_machine(finished: Path) -> None:
    found = compare_again(_record(finished, _as_it_is), _record(finished, _other_weights))
    assert found.tolerance == "identical" and not found.identical
    assert "weights.safetensors is 0000000000000000, the record says" in found.problems[0]


def test_another_machine_must_only_be_close(finished: Path) -> None:
    def both(record: dict[str, Any]) -> None:
        _other_weights(record)
        _more_threads(record)

    found = compare_again(_record(finished, _as_it_is), _record(finished, both))
    assert found.tolerance == "close" and not found.problems and not found.identical
    assert found.why[0].startswith("threads: ")


def test_numbers_that_are_not_close_are_named(finished: Path) -> None:
    found = compare_again(_record(finished, _as_it_is), _record(finished, _worse))
    assert len(found.problems) == 1 and found.problems[0].startswith("mAP: the record says")
    assert "zero is not in the paired interval" in found.problems[0]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "a GPU need not"),
        ({"mode": "exact", "nondeterministic": []}, None),
        ({"mode": "exact", "nondeterministic": ["put_"]}, "torch calls these nondeterministic"),
        ({"mode": "fast", "nondeterministic": []}, "a GPU need not"),
    ],
    ids=["an older record", "nothing", "warned", "fast"],
)
def test_a_gpu_is_asked_for_the_same_bits_where_torch_warned_of_nothing(
    finished: Path, said: dict[str, Any], why: str | None
) -> None:
    def on_gpu(record: dict[str, Any]) -> None:
        record["environment"] |= {"device": "cuda", "gpu": "one", "numerics": said}

    def on_another(record: dict[str, Any]) -> None:
        on_gpu(record)
        record["environment"]["gpu"] = "another"

    found = compare_again(_record(finished, on_gpu), _record(finished, on_gpu))
    assert found.tolerance == ("identical" if why is None else "close")
    assert why is None or found.why[0].startswith(why)
    found = compare_again(_record(finished, on_gpu), _record(finished, on_another))
    assert found.tolerance == "close" and found.why[0] == "gpu: one then, another now"


def test_a_run_of_a_plugin_says_which_one_it_was_made_with(finished: Path) -> None:
    def by_plugin(record: dict[str, Any]) -> None:
        record["environment"]["command"] = ["harness", "run", "--plugin", "my method.py"]

    with pytest.raises(UnknownNameError) as caught:
        method_of(_record(finished, by_plugin), load_plugins())
    assert "--plugin 'my method.py'" in caught.value.do
