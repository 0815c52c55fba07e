"""What a record says of where it was made, and what it must not say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.evidence import checkout, environment, privacy
from tests.conftest import SMALL, Harness


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/alice")
    monkeypatch.setattr("getpass.getuser", lambda: "alice")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("/home/alice/data", "~/data"),
        ("--out=/home/alice", "--out=~"),
        ("/scratch/alice/set", "/scratch/USER/set"),
        ("/home/alice2/data", "/home/alice2/data"),
        ("/backup/home/alice/x", "/backup/home/USER/x"),
        ("malice", "malice"),
        ("optimiser.lr=0.002", "optimiser.lr=0.002"),
        ("postgresql://bob:hunter2@host/db", "postgresql://bob:***@host/db"),
        ("--store=postgresql+psycopg://bob:h/u:nter@host/db", None),
    ],
)
@pytest.mark.usefixtures("somebody")
def test_words_of_a_command(typed: str, kept: str | None) -> None:
    expected = kept or "--store=postgresql+psycopg://bob:***@host/db"
    assert privacy.without_person(typed) == expected


def run_words(tiny: Path, drawn: Path) -> tuple[object, ...]:
    method = ("--method", "tiny", "--plugin", tiny, "--recipe", "smoke")
    return ("run", *method, "--dataset", drawn, *SMALL)


def test_a_record_says_enough_and_no_more(
    harness: Harness, tiny: Path, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / "alice"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("API_TOKEN", "do-not-tell")
    monkeypatch.setattr("getpass.getuser", lambda: "alice")
    answer = harness(*run_words(tiny, drawn), "--out", home / "runs", "--json")
    assert answer.code == 0, answer.err
    text = Path(answer.json["record"]).read_text()
    record = json.loads(text)
    for secret in ("do-not-tell", str(home), "alice"):
        assert secret not in text
    found = record["environment"]
    assert found["packages"]["torch"] and found["packages"]["sqlalchemy"]
    assert found["deterministic"] is True and found["determinism"]["cublas_workspace"]
    assert found["cores"] > 0 and found["memory_mib"] > 0 and found["threads"] > 0
    assert found["command"][-2] == "~/runs"
    cost = record["cost"]
    for name in ("parameters", "trained_parameters", "gflops", "latency_ms", "throughput"):
        assert cost[name] > 0, name
    assert cost["trained_parameters"] <= cost["parameters"]
    assert cost["descriptor"] > 0 and cost["training_seconds"] > 0 and cost["peak_memory_mib"] > 10
    assert len(record["per_query"]["pids"]) == len(record["per_query"]["inp"]) == record["queries"]


def test_the_memory_of_training_is_known_to_a_run_that_goes_on(
    harness: Harness, tiny: Path, drawn: Path, tmp_path: Path
) -> None:
    words = run_words(tiny, drawn)
    first = harness(*words, "--out", tmp_path, "--json")
    folder = Path(first.json["record"]).parent
    (folder / "training-peak.json").write_text("123456.0")
    (folder / "record.json").unlink()
    again = harness(*words, "--out", tmp_path, "--json")
    record = json.loads(Path(again.json["record"]).read_text())
    assert record["cost"]["peak_memory_mib"] == 123456.0


CHECKOUT = "harness/evidence/checkout.py"


def _repository(folder: Path) -> None:
    for words in (
        ("init", "-q"),
        ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "first"),
    ):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of a harness of one room, which the running code seems to be."""
    file = tmp_path / "harness" / "evidence" / "checkout.py"
    file.parent.mkdir(parents=True)
    file.write_text("x = 1\n")
    _repository(tmp_path)
    monkeypatch.setattr(checkout, "__file__", str(file))
    return tmp_path


def test_a_clean_checkout(repository: Path) -> None:
    (repository / "notes.txt").write_text("not code")
    found = checkout.describe_code()
    assert len(found["commit"]) == 40 and found["uncommitted"] is False
    assert set(found) == {"commit", "uncommitted"}


def test_what_differs_from_the_commit_has_a_hash(repository: Path) -> None:
    hashes = set()
    for number in range(2):
        (repository / "harness" / "evidence" / "checkout.py").write_text(f"x = 2{number}\n")
        found = checkout.describe_code()
        assert found["uncommitted"] and found["uncommitted_files"] == [CHECKOUT]
        hashes.add(found["uncommitted_sha256"])
    (repository / "harness" / "new.py").write_text("y = 1\n")
    found = checkout.describe_code()
    assert found["uncommitted_files"] == [CHECKOUT, "harness/new.py"]
    assert len({*hashes, found["uncommitted_sha256"]}) == 3
    assert "x = 2" not in json.dumps(found)


def test_a_repository_that_only_surrounds_the_code_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitignore").write_text(".venv\n")
    installed = tmp_path / ".venv" / "harness" / "evidence"
    installed.mkdir(parents=True)
    _repository(tmp_path)
    (installed / "checkout.py").write_text("x = 1\n")
    monkeypatch.setattr(checkout, "__file__", str(installed / "checkout.py"))
    monkeypatch.setattr(checkout, "_origin", dict)
    assert checkout.describe_code() == {"commit": "", "uncommitted": False}
    monkeypatch.setattr(checkout, "_origin", lambda: {"vcs_info": {"commit_id": "abc"}})
    assert checkout.describe_code()["commit"] == "abc"


def test_a_copy_installed_from_a_checkout_is_of_its_commit(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = checkout.describe_code()["commit"]
    copy = tmp_path_factory.mktemp("site") / "harness" / "evidence"
    copy.mkdir(parents=True)
    (copy / "checkout.py").write_text("x = 1\n")
    monkeypatch.setattr(checkout, "__file__", str(copy / "checkout.py"))
    monkeypatch.setattr(checkout, "_origin", lambda: {"url": repository.as_uri(), "dir_info": {}})
    assert checkout.describe_code()["commit"] == expected
    (copy / "checkout.py").write_text("x = 3\n")
    assert checkout.describe_code()["commit"] == ""


def test_the_driver_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: text)
    assert environment._driver() == "550.54.15"


def test_the_command_line_stays_light() -> None:
    code = "import sys, harness.runs.run, harness.cli.app; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_changed_since_a_commit_is_named(repository: Path) -> None:
    commit = checkout.describe_code()["commit"]
    room = repository / "harness" / "evidence"
    assert checkout.changed_since(commit, [room]) == []
    (room / "moved.py").write_text((room / "checkout.py").read_text())
    (room / "checkout.py").write_text("x = 2\n")
    (repository / "outside.py").write_text("no part of it\n")
    assert checkout.changed_since(commit, [room]) == [
        "harness/evidence/checkout.py",
        "harness/evidence/moved.py",
    ]
    assert checkout.changed_since("0" * 40, [room]) is None, "a commit that is not here"
    assert checkout.changed_since("--output=x", [room]) is None, "no word of a record is an option"
