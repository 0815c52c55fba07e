"""`harness run`, from the words a user types to the record on disk."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import SHARED, SMALL, Harness


def test_the_json_is_the_contract(
    harness: Harness, drawn: Path, tiny: Path, tmp_path: Path
) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    answer = harness(*words, *SMALL, "--out", tmp_path / "runs", "--json")
    assert answer.code == 0
    found = answer.json
    assert found["method"] == "tiny"
    assert found["dataset"].startswith("rgbnt201-synthetic@")
    assert found["protocol"] == "full" and len(found["protocol_hash"]) == 64
    assert found["seed"] == 40 and found["selection"] == "last"
    assert set(found["metrics"]) == {"mAP", "R1", "R5", "R10", "mINP"}
    assert found["queries"] == found["valid_queries"] == 16
    low, high = found["intervals"]["mAP"]
    assert 0 < low <= found["metrics"]["mAP"] <= high <= 100
    assert 0 < found["chance"]["mAP"] < 100 and 0 < found["chance"]["R1"] < 100
    record = json.loads(Path(found["record"]).read_text())
    assert record["run_id"] == found["run_id"]
    assert record["metrics"] == found["metrics"]
    assert Path(found["record"]).parent == tmp_path / "runs" / found["recipe_hash"][:12] / "40"


def test_the_table_says_what_a_newcomer_needs(
    harness: Harness, drawn: Path, tiny: Path, tmp_path: Path
) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    answer = harness(*words, *SMALL, "--out", tmp_path)
    assert answer.code == 0
    for word in ("mAP", "Rank-1", "95 % interval", "chance", "record:", "next:", "valid"):
        assert word in answer.out
    assert "recipe    smoke" in answer.err and "optimiser.lr = 0.001" in answer.err
    # Exact mode computes in float32, and what is shown says so.
    assert "precision = float32" in answer.err and "bf16" not in answer.err
    lines = answer.out.partition("next:")[2].splitlines()
    here = f"--out {tmp_path}"
    assert all(line.endswith(here) for line in lines if line), lines
    (more,) = [line for line in lines if "--seeds 1,2,3" in line]
    given = f"--dataset {drawn} --recipe smoke {' '.join(SMALL)} --plugin {tiny} {here}"
    assert more == f"  harness run --method tiny --seeds 1,2,3 {given}"


def test_the_same_seed_twice_gives_the_same_digits(
    harness: Harness, drawn: Path, tiny: Path, tmp_path: Path
) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    one, two = (
        harness(*words, *SMALL, "--json", "--out", tmp_path / name).json for name in ("a", "b")
    )
    records = [json.loads(Path(found["record"]).read_text()) for found in (one, two)]
    assert one["metrics"] == two["metrics"]
    assert records[0]["evidence"]["weights"] == records[1]["evidence"]["weights"]
    assert records[0]["per_query"] == records[1]["per_query"]


def test_seeds_give_mean_and_spread(
    harness: Harness, drawn: Path, tiny: Path, tmp_path: Path
) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    found = harness(*words, *SMALL, "--json", "--out", tmp_path, "--seeds", "1,2").json
    values = [run["metrics"]["mAP"] for run in found["runs"]]
    assert [run["seed"] for run in found["runs"]] == [1, 2]
    assert found["mean"]["mAP"] == pytest.approx(sum(values) / 2)
    assert found["sd"]["mAP"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    text = harness(*words, *SMALL, "--out", tmp_path, "--seeds", "1,2").out
    assert text.count("next:") == 1 and "--seeds" not in text
    assert f"harness verify {found['runs'][0]['run_id']}" in text


def test_a_finished_run_is_not_done_again(
    harness: Harness, drawn: Path, tiny: Path, tmp_path: Path
) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    first = harness(*words, *SMALL, "--json", "--out", tmp_path).json
    again = harness(*words, *SMALL, "--json", "--out", tmp_path)
    assert again.json["run_id"] == first["run_id"] and again.json["cached"]
    assert "nothing to do" in again.err and "epoch   1/" not in again.err


def test_a_lost_features_file_is_made_again_without_training(
    harness: Harness, drawn: Path, tiny: Path, tmp_path: Path
) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    first = harness(*words, *SMALL, "--json", "--out", tmp_path).json
    (Path(first["record"]).parent / "features.npz").unlink()
    again = harness(*words, *SMALL, "--json", "--out", tmp_path)
    assert "train: done before" in again.err and "missing or was cut short" in again.err
    assert again.json["metrics"] == first["metrics"]
    assert list(tmp_path.glob(f"*/40/record.{first['run_id']}.json")), "the first record is kept"


def test_changed_code_trains_again_and_keeps_the_old_run(
    harness: Harness, drawn: Path, tiny: Path, tmp_path: Path
) -> None:
    plugin = tmp_path / "changing.py"
    plugin.write_text(tiny.read_text().replace('"tiny"', '"changing"'))
    words = ["run", "--method", "changing", "--plugin", plugin, "--dataset", drawn]
    words += ["--recipe", "smoke", *SMALL, "--json", "--out", tmp_path / "runs"]
    first = harness(*words).json
    plugin.write_text(plugin.read_text() + "\n# another line\n")
    again = harness(*words)
    assert again.json["run_id"] != first["run_id"]
    assert "the old run is kept" in again.err
    assert list((tmp_path / "runs").glob(f"*/40.{first['run_id']}/record.json"))


def _start(words: list[str], log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "harness.cli", *words]
    with log.open("wb") as file:
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=file, env=os.environ)


def test_a_killed_run_goes_on_to_the_same_numbers(
    harness: Harness, drawn: Path, tiny: Path, tmp_path: Path
) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    words += ["--set", "epochs=25", *SMALL[2:], "--json", "--out"]
    log = tmp_path / "log"
    killed = _start([str(w) for w in [*words, tmp_path / "killed"]], log)
    deadline = time.monotonic() + 120
    while "epoch   3/25" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    # Somewhere in an epoch, or while a checkpoint is written.
    time.sleep(random.random() * 0.3)
    killed.send_signal(signal.SIGKILL)
    killed.wait(30)
    assert not list((tmp_path / "killed").glob("*/40/record.json")), "it was not killed in time"
    resumed = harness(*words, tmp_path / "killed")
    assert "going on after epoch" in resumed.err
    assert resumed.json["metrics"] == harness(*words, tmp_path / "whole").json["metrics"]


def test_two_processes_do_not_work_on_one_run(
    harness: Harness, drawn: Path, tiny: Path, tmp_path: Path
) -> None:
    from harness.base.stages import only_one

    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    done = harness(*words, *SMALL, "--json", "--out", tmp_path).json
    seed_folder = Path(done["record"]).parent
    with only_one(seed_folder.with_name(".40.lock")):
        busy = harness(*words, *SMALL, "--json", "--out", tmp_path)
    assert busy.code == 2 and busy.error["kind"] == "RunBusyError"


def test_without_a_data_set_it_says_it_uses_the_embedded_one(
    harness: Harness, tiny: Path, tmp_path: Path
) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--set", "epochs=1", "--out", tmp_path]
    answer = harness(*words, "--json")
    assert answer.err.splitlines()[0].startswith("no --dataset: using the embedded synthetic set")
    assert answer.json["dataset"] == "synthetic"


def test_the_real_sample_trains_and_scores(harness: Harness, tiny: Path, tmp_path: Path) -> None:
    sample = SHARED / "data" / "rgbnt201-sample"
    if not sample.is_dir():
        pytest.skip("the RGBNT201 sample is not on this machine")
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", sample, "--recipe", "smoke"]
    answer = harness(*words, "--set", "epochs=1", "--json", "--out", tmp_path)
    assert answer.code == 0
    assert answer.json["queries"] == 32 and answer.json["valid_queries"] == 24
    assert "8 of 32 queries have no match" in answer.err
    assert answer.json["dataset"].startswith("rgbnt201-variant@")
