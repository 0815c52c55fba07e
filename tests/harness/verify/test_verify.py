"""`harness verify`: what a true run passes, and every forgery by its name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import RecordError
from harness.spec.plugins import Plugins, load_plugins
from harness.spec.protocol import BoundProtocol
from harness.verify import Check, Finder, verify
from tests.conftest import Harness
from tests.forging import Arrays, edit, folder_of, mend_hashes, recount, rewrite, said


@pytest.fixture(scope="module")
def known() -> Plugins:
    return load_plugins()


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """The folder of a run that a test may forge."""
    return folder_of(Path(shutil.copytree(finished, tmp_path / "runs")))


@pytest.fixture
def finder(known: Plugins, drawn: Path) -> Finder:
    return Finder(known, str(drawn))


def _failing(folder: Path, finder: Finder) -> dict[str, str]:
    return {c.name: c.problem for c in verify(folder / "record.json", finder) if c.problem}


def test_a_true_run_holds_in_every_check(run: Path, finder: Finder) -> None:
    checks = verify(run / "record.json", finder)
    assert {c.status for c in checks} == {"holds"}
    names = {c.name for c in checks}
    assert {"record id", "evidence features", "recipe hash", "protocol hash"} <= names
    assert {"metrics mAP", "intervals R1", "chance mINP", "cmc", "rank lists"} <= names
    assert {"data set", "query names", "gallery labels", "training log", "weights"} <= names


def test_without_the_data_set_it_is_said_and_no_failure(run: Path, known: Plugins) -> None:
    checks = {c.name: c for c in verify(run / "record.json", Finder(known))}
    for name in ("data set", "query names", "gallery names"):
        assert checks[name].status == "not checked"
        assert "data set not here" in checks[name].unchecked
    assert not [c for c in checks.values() if c.problem]


@pytest.mark.parametrize("mended", [False, True])
def test_one_digit_is_named(run: Path, finder: Finder, mended: bool) -> None:
    metrics = said(run, "metrics")
    true = metrics["mAP"]
    metrics["mAP"] = round(true + 1e-10, 10)
    edit(run, {"metrics": metrics}, mended)
    found = _failing(run, finder)
    assert found["metrics mAP"] == f"the record says {metrics['mAP']}, rescoring gives {true}"
    assert ("record id" in found) != mended


def _swap(rows: list[str]) -> Any:
    def change(arrays: Arrays) -> None:
        for name in rows:
            key = name if name in arrays else f"query_{name}"
            arrays[key][[0, 5]] = arrays[key][[5, 0]]

    return change


def test_a_swapped_descriptor_is_named_by_the_lists_it_changes(run: Path, finder: Finder) -> None:
    rewrite(run, "features.npz", _swap(["features"]))
    found = _failing(run, finder)
    assert "rank lists differ, first that of query 0 (000011_cam1_0_00.jpg)" in found["rank lists"]
    assert "rescoring gives gallery row" in found["rank lists"]
    assert found["per-query ap"].startswith("the record differs in")
    assert "evidence features" not in found and "record id" not in found


def test_a_swapped_row_is_named_by_the_data_set(run: Path, finder: Finder) -> None:
    rewrite(run, "features.npz", _swap(["features", "names", "pids", "camids"]))
    recount(run)
    found = _failing(run, finder)
    assert found["query names"] == (
        "2 query rows are not in the data set's order: row 0 is 000012_cam1_0_01.jpg instead of "
        "000011_cam1_0_00.jpg"
    )
    assert set(found) <= {"query names", "gallery names"}


def test_a_wrong_identity_is_named(run: Path, finder: Finder) -> None:
    def change(arrays: Arrays) -> None:
        key = "gallery_pids" if "gallery_pids" in arrays else "pids"
        arrays[key][3] = arrays[key][4]

    rewrite(run, "features.npz", change)
    recount(run)
    found = _failing(run, finder)
    assert "gallery labels" in found
    assert "row 3 (000011_cam2_0_01.jpg) has 12, the data set says 11" in found["gallery labels"]


def test_a_reordered_rank_list_is_named(run: Path, finder: Finder) -> None:
    def change(arrays: Arrays) -> None:
        arrays["rank_lists"][2, [0, 1]] = arrays["rank_lists"][2, [1, 0]]

    rewrite(run, "ranks.npz", change)
    found = _failing(run, finder)
    assert set(found) == {"rank lists"}
    assert found["rank lists"].startswith("1 of 16 rank lists differ, first that of query 2 (")
    assert "at rank 1 ranks.npz has gallery row" in found["rank lists"]


def test_another_query_outcome_in_the_ranks_is_named(run: Path, finder: Finder) -> None:
    def change(arrays: Arrays) -> None:
        arrays["per_query_ap"][4] = 1.5

    rewrite(run, "ranks.npz", change)
    found = _failing(run, finder)
    assert set(found) == {"ranks per_query_ap"}
    assert "query 4 (" in found["ranks per_query_ap"] and "1.5" in found["ranks per_query_ap"]


def test_another_protocols_hash_is_named(run: Path, finder: Finder) -> None:
    other = "0" * 64
    true = said(run, "protocol_hash")
    edit(run, {"protocol_hash": other})
    mend_hashes(run)
    found = _failing(run, finder)
    assert set(found) == {"protocol hash"}
    assert "protocol_hash is 0000000000000000" in found["protocol hash"]
    assert true[:16] in found["protocol hash"]


def test_another_protocol_under_the_same_name_is_named(run: Path, finder: Finder) -> None:
    protocol = said(run, "protocol") | {"filter": "none"}
    bound = BoundProtocol.model_validate(protocol)
    edit(run, {"protocol": protocol, "protocol_hash": bound.hash})
    recount(run)
    found = _failing(run, finder)
    assert set(found) == {"protocol by name"}
    assert (
        "full has filter = none in the record and same_pid_same_cam here"
        in found["protocol by name"]
    )


def _shorten(arrays: Arrays) -> None:
    names = ("features", "names", "pids", "camids")
    whole = {k: arrays.get(k, arrays.get(f"query_{k}")) for k in names}
    arrays.clear()
    for key, value in whole.items():
        arrays[f"query_{key}"] = value
        arrays[f"gallery_{key}"] = value[:-1]


def test_a_gallery_shortened_by_one_image_is_named(run: Path, finder: Finder) -> None:
    rewrite(run, "features.npz", _shorten)
    recount(run)
    found = _failing(run, finder)
    assert "'samples': 15" in found["gallery counts"]
    assert found["gallery names"] == (
        "the data set has 16 gallery images; features.npz lacks 1 of them, first "
        "000014_cam2_0_01.jpg"
    )


def test_a_shortened_gallery_is_found_without_its_data_set(run: Path, known: Plugins) -> None:
    rewrite(run, "features.npz", _shorten)
    recount(run)
    assert "gallery counts" in _failing(run, Finder(known))


def test_counts_that_were_mended_too_are_held_against_the_data(run: Path, finder: Finder) -> None:
    rewrite(run, "features.npz", _shorten)
    recount(run)
    dataset = said(run, "dataset")
    dataset["counts"]["gallery"]["samples"] = 15
    edit(run, {"dataset": dataset})
    found = _failing(run, finder)
    assert "counts: the record says" in found["data set"] and "gallery names" in found


def test_another_recipe_is_named(run: Path, finder: Finder) -> None:
    recipe = said(run, "recipe") | {"epochs": 60}
    edit(run, {"recipe": recipe})
    found = _failing(run, finder)
    assert "but the record's recipe hashes to" in found["recipe hash"]
    assert "another recipe than the record says" in found["weights"]


def test_a_log_that_was_shortened_is_named(run: Path, finder: Finder) -> None:
    (run / "train.jsonl").write_text((run / "train.jsonl").read_text().splitlines()[0] + "\n")
    mend_hashes(run)
    assert "training log" in _failing(run, finder)


def test_a_set_that_calls_itself_published_is_named(run: Path, known: Plugins) -> None:
    dataset = said(run, "dataset") | {"published_list": True, "label": "rgbnt201"}
    edit(run, {"dataset": dataset})
    found = _failing(run, Finder(known))
    assert "file_list_hash is not that of rgbnt201" in found["published list"]


@pytest.mark.parametrize("name", ["rgbnt201", "synthetic", "unheard-of"])
def test_the_label_of_a_published_set_is_not_for_others(
    run: Path, known: Plugins, name: str
) -> None:
    edit(run, {"dataset": said(run, "dataset") | {"name": name, "label": "rgbnt201"}})
    found = _failing(run, Finder(known))
    assert found["published list"].startswith("the label rgbnt201 is that of the published set")


def test_a_data_set_is_not_opened_by_a_path_of_the_record(run: Path, known: Plugins) -> None:
    edit(run, {"dataset": said(run, "dataset") | {"name": "/etc"}})
    checks = {c.name: c for c in verify(run / "record.json", Finder(known))}
    assert checks["data set"].unchecked == "data set not here: none is called '/etc'"


@pytest.mark.parametrize(
    "text",
    ['{"a": 1, "a": 1}', '{"x": NaN}', "[" * 5000, '{"x": 1e999}', '{"x": "\\ud800"}', "\xff"],
)
def test_what_is_no_strict_json_is_no_record(tmp_path: Path, text: str) -> None:
    path = tmp_path / "record.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RecordError, match="is not a record"):
        verify(path)


def test_statuses_have_one_word_each() -> None:
    checks = [Check("a"), Check("a", "no"), Check("a", unchecked="why")]
    assert [c.status for c in checks] == ["holds", "fails", "not checked"]


def test_the_command_sets_the_level_and_a_failure_takes_it_back(
    harness: Harness, run: Path, drawn: Path
) -> None:
    out = run.parents[1]
    words = ["verify", said(run, "run_id"), "--out", out, "--dataset", drawn]
    # The store still points to where the run was made; a run that moved is added again.
    assert harness("store", "rebuild", "--out", out).code == 0
    done = harness(*words, "--json")
    assert done.code == 0 and done.json["ok"] and done.json["trust"] == "rescored"
    shown = harness(*words)
    assert "checks hold" in shown.out and "trust: rescored" in shown.out
    (run / "ranks.npz").unlink()
    again = harness(*words, "--json")
    assert again.code == 2 and again.json["trust"] == "reported" and not again.json["ok"]
    failing = [c for c in again.json["checks"] if c["status"] == "fails"]
    assert [c["problem"] for c in failing] == ["ranks.npz is missing"]


def test_a_level_written_by_hand_is_ignored_and_said(
    harness: Harness, run: Path, drawn: Path
) -> None:
    path = run / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"trust": "rerun"}))
    done = harness("verify", run, "--out", run.parents[1], "--dataset", drawn, "--json")
    trust = next(c for c in done.json["checks"] if c["name"] == "trust")
    assert done.code == 0 and done.json["trust"] != "rerun"
    assert "trust in the record is ignored" in trust["unchecked"]


def test_a_copy_elsewhere_changes_no_level(
    harness: Harness, run: Path, tmp_path: Path, drawn: Path
) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    done = harness("verify", copy, "--out", run.parents[1], "--dataset", drawn, "--json")
    assert done.code == 0 and done.json["trust"] is None


def test_a_file_that_is_another_run_now_takes_the_level_back(
    harness: Harness, run: Path, drawn: Path
) -> None:
    out, run_id = run.parents[1], said(run, "run_id")
    assert harness("store", "rebuild", "--out", out).code == 0
    edit(run, {"created": "2001-01-01T00:00:00+00:00"})
    done = harness("verify", run_id, "--out", out, "--dataset", drawn, "--json")
    assert done.code == 2 and done.json["trust"] == "reported"
    failing = [c for c in done.json["checks"] if c["status"] == "fails"]
    assert [c["name"] for c in failing] == ["store"]
