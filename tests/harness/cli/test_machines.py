"""Odd machines and odd numbers: what standard output takes, names that are no UTF-8, large ids."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SMALL, Harness


def _command(*words: object, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """The command as a process of its own, whose output has the encoding asked for."""
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *map(os.fsencode, map(str, words))],
        capture_output=True,
        check=False,
        env={**os.environ, **variables},
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_output_that_takes_few_letters_escapes_the_others(encoding: str) -> None:
    done = _command("claims", "list", "--dataset", "rgbnt201", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    done = _command("list", "datasets", "--json", PYTHONIOENCODING=encoding)
    assert "rgbnt201" in {row["dataset"] for row in json.loads(done.stdout)["datasets"]}


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_the_caller_closed_is_done_without(closed: str, tmp_path: Path) -> None:
    command = f'"$0" -m harness.cli store check --out "$1" {closed}'
    (tmp_path / "runs").mkdir()
    words = ["sh", "-c", command, sys.executable, str(tmp_path / "runs")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ("0 records" in done.stdout) == (">&-" not in closed.replace("2>&-", ""))
    assert "mistake" not in done.stderr


@pytest.mark.parametrize("columns", ["", "0", "-3", "wide", "7", "99999999999999999999", "\u0663"])
def test_a_width_that_is_none_is_passed_over(
    columns: str, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only for the command: pytest itself stumbles over such a width.
    with monkeypatch.context() as patch:
        patch.setenv("COLUMNS", columns)
        answer = harness("list", "methods")
    assert answer.code == 0 and "ieee" in answer.out


def test_a_width_is_kept(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, harness("list", "methods").out.splitlines())) <= 60


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder whose name is not UTF-8, as an archive from elsewhere unpacks to."""
    folder = tmp_path / os.fsdecode(b"set_\xca\xfd")
    folder.mkdir()
    return folder


def test_a_folder_that_is_not_utf8_goes_all_the_way(
    harness: Harness, drawn: Path, tiny: Path, odd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = shutil.copytree(drawn, odd / "data")
    out = odd / "runs"
    monkeypatch.setenv("HARNESS_CACHE", str(odd / "cache"))
    assert harness("data", "check", data, "--json").json["root"] == str(data)
    words = ["--plugin", shutil.copy(tiny, odd / "tiny.py"), "--dataset", data]
    done = harness("run", "--method", "tiny", *words, "--recipe", "smoke", *SMALL, "--out", out)
    assert done.code == 0, done.err
    assert "$'" in done.out, "the next commands can be typed"
    (row,) = harness("list", "runs", "--out", out, "--json").json["runs"]
    record = next(out.glob("*/40/record.json"))
    assert "\\\\xca" in record.read_text(encoding="utf-8"), "the command, in letters"
    run = harness("evaluate", "--run", row["run"], "--out", out, *words, "--json")
    assert run.code == 0, run.err
    assert harness("verify", row["run"], "--out", out, *words, "--json").json["trust"] == "rescored"
    missing = harness("data", "check", odd / "none", "--json")
    assert missing.code == 2 and str(odd) in missing.error["seen"]


def test_a_file_name_that_is_not_utf8_is_named(
    harness: Harness, damaged: Path, tiny: Path, tmp_path: Path
) -> None:
    odd = os.fsdecode(b"\xff.jpg")
    (damaged / "test" / "RGB" / odd).write_bytes(b"")
    for command in (["data", "check", damaged], ["lint", damaged, "full"]):
        answer = harness(*command, "--json")
        assert answer.code == 2 and "Traceback" not in answer.err
        assert odd in json.dumps(answer.json, ensure_ascii=False)
    words = ["--method", "tiny", "--plugin", tiny, "--set", f"pretrained={tmp_path / odd}"]
    answer = harness("run", *words, "--out", tmp_path / "runs", "--json")
    assert answer.error["kind"] == "RecipeError" and "plain letters" in answer.error["do"]


@pytest.mark.parametrize("seed", [2**63, 2**64 - 1, -1, 10**30])
def test_a_seed_that_no_store_can_keep_is_refused_first(
    harness: Harness, seed: int, tmp_path: Path
) -> None:
    out = tmp_path / "runs"
    for words in (
        ["run", "--method", "ieee", f"--seed={seed}", "--out", out],
        ["run", "--method", "ieee", f"--seeds=1,{seed}", "--out", out],
        ["table", "ieee-table1", f"--seeds={seed}", "--out", out],
        ["data", "synthesize", "--like", "rgbnt201", f"--seed={seed}", "--out", out],
        ["data", "train-translator", "--dataset", "none", f"--seed={seed}", "--out", out],
    ):
        answer = harness(*words, "--json")
        assert answer.code == 2, answer.err
        assert str(seed) in answer.error["seen"] and str(2**63 - 1) in answer.error["expected"]
        assert not out.exists()


@pytest.mark.parametrize(
    "change", ["epochs=9223372036854775808", "optimiser.lr=inf", "optimiser.weight_decay=1e999"]
)
def test_a_value_that_no_record_can_keep_is_refused_first(
    harness: Harness, change: str, tmp_path: Path
) -> None:
    words = ["run", "--method", "ieee", "--set", change, "--out", tmp_path / "runs", "--json"]
    answer = harness(*words)
    assert answer.error["kind"] == "RecipeError", answer.err
    assert change.partition("=")[0] in answer.error["seen"] and not (tmp_path / "runs").exists()


def test_the_largest_seed_is_kept(
    harness: Harness, drawn: Path, tiny: Path, tmp_path: Path
) -> None:
    words = ["--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke", *SMALL]
    answer = harness("run", *words, "--seed", 2**63 - 1, "--out", tmp_path / "r", "--json")
    assert answer.code == 0, answer.err
    assert harness("list", "runs", "--out", tmp_path / "r", "--json").json["runs"]


@pytest.mark.parametrize("rest", ["", '{"schema_version": 1, "run', "{}", '{"seed": 1e999}'])
def test_the_rest_of_a_record_does_not_block_the_next_run(
    harness: Harness, drawn: Path, tiny: Path, tmp_path: Path, rest: str
) -> None:
    words = ["run", "--method", "tiny", "--plugin", tiny, "--dataset", drawn, "--recipe", "smoke"]
    words += [*SMALL, "--out", tmp_path / "runs", "--json"]
    first = harness(*words).json
    record = Path(first["record"])
    record.write_text(rest)
    again = harness(*words)
    assert again.code == 0, again.err
    assert again.json["metrics"] == first["metrics"] and "record.damaged.json" in again.err
    assert (record.parent / "record.damaged.json").read_text() == rest


def test_a_port_that_is_taken_is_refused_with_a_free_one(harness: Harness, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        answer = harness("leaderboard", "--out", tmp_path, "--port", port)
    assert answer.code == 2 and f"127.0.0.1:{port}: another program listens" in answer.err
    advised = int(re.findall(r"--port (\d+)", answer.err)[0])
    assert advised != port
    answer = harness("leaderboard", "--out", tmp_path, "--host", "192.0.2.1")
    assert answer.code == 2 and "cannot be served at 192.0.2.1" in answer.err
    assert harness("leaderboard", "--out", tmp_path, "--port", 70000).code == 2
