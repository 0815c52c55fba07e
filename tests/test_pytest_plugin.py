"""`pytest --harness-verify`: a record and its evidence, or what differs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.record import RunRecord, record_id
from tests.conftest import SMALL, Harness


@pytest.fixture
def folder(harness: Harness, drawn: Path, tiny: Path, tmp_path: Path) -> Path:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    done = harness(*words, *SMALL, "--out", tmp_path / "runs", "--json").json
    return Path(done["record"]).parent


def _verify(runs: Path) -> subprocess.CompletedProcess[str]:
    # In a folder of its own, as in a user's own project.
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--harness-verify", "runs"]
    return subprocess.run(words, cwd=runs.parent, capture_output=True, text=True, check=False)


def _edit(folder: Path, change: dict[str, object], new_id: bool) -> None:
    path = folder / "record.json"
    record = json.loads(path.read_text()) | change
    if new_id:
        record["run_id"] = record_id(RunRecord.model_validate(record))
    path.write_text(json.dumps(record))


def test_a_true_record_passes(folder: Path) -> None:
    done = _verify(folder.parents[1])
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout and "failed" not in done.stdout


@pytest.mark.parametrize("new_id", [False, True])
def test_a_changed_digit_fails_by_name(folder: Path, new_id: bool) -> None:
    metrics = json.loads((folder / "record.json").read_text())["metrics"]
    metrics["mAP"] = round(metrics["mAP"] + 1e-10, 10)
    _edit(folder, {"metrics": metrics}, new_id)
    done = _verify(folder.parents[1])
    assert done.returncode == 1
    assert "metrics mAP: the record says" in done.stdout
    assert ("it was edited" in done.stdout) != new_id


def test_swapped_rows_of_the_features_fail(folder: Path) -> None:
    path = folder / "features.npz"
    arrays = dict(np.load(path))
    arrays["features"][[0, 5]] = arrays["features"][[5, 0]]
    np.savez(path, **arrays)
    done = _verify(folder.parents[1])
    assert done.returncode == 1 and "features.npz has SHA-256" in done.stdout


def test_lost_evidence_fails(folder: Path) -> None:
    (folder / "ranks.npz").unlink()
    done = _verify(folder.parents[1])
    assert done.returncode == 1 and "ranks.npz is missing" in done.stdout


def test_evidence_of_elsewhere_is_not_read(folder: Path) -> None:
    evidence = json.loads((folder / "record.json").read_text())["evidence"]
    evidence["ranks"]["file"] = "../../../etc/passwd"
    _edit(folder, {"evidence": evidence}, new_id=True)
    done = _verify(folder.parents[1])
    assert done.returncode == 1 and "is not a file name beside the record" in done.stdout


def test_a_folder_without_records_is_no_success(folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(folder)
    assert _verify(tmp_path / "runs").returncode == 5
    words = [sys.executable, "-m", "pytest", "--harness-verify", "nowhere"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 4 and "no such folder" in done.stderr


def _said(folder: Path, field: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "record.json").read_text())[field]
    return found


@pytest.mark.parametrize("cmc", [[], [1.0], [1.0] * 300])
def test_a_cmc_of_another_length_fails(folder: Path, cmc: list[float]) -> None:
    _edit(folder, {"cmc": cmc}, new_id=True)
    done = _verify(folder.parents[1])
    assert done.returncode == 1 and "cmc: the record" in done.stdout


@pytest.mark.parametrize("field", ["names", "ap", "first_rank"])
def test_a_changed_or_lost_query_fails(folder: Path, field: str) -> None:
    original = _said(folder, "per_query")
    values = original[field]
    assert isinstance(values, list)
    other = f"{values[0]}x" if field == "names" else (values[0] or 0) + 1
    for changed in (values[:-1], [other, *values[1:]]):
        _edit(folder, {"per_query": original | {field: changed}}, new_id=True)
        done = _verify(folder.parents[1])
        assert done.returncode == 1 and f"per-query {field}: the record" in done.stdout


def test_an_invented_metric_fails(folder: Path) -> None:
    _edit(folder, {"metrics": _said(folder, "metrics") | {"R100": 99.0}}, new_id=True)
    done = _verify(folder.parents[1])
    assert done.returncode == 1 and "metrics R100: the record says 99.0" in done.stdout
