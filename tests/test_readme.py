"""The README's first command and its method in one file, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.spec.plugins import load_plugins
from tests.conftest import ROOT, Harness


def test_the_method_in_one_file_runs_as_shown(
    harness: Harness, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.py").write_text(tiny.read_text())
    assert len(tiny.read_text().splitlines()) <= 32
    (command,) = re.findall(
        r"```bash\n(harness run --method tiny .*)\n```", (ROOT / "README.md").read_text()
    )
    answer = harness(*command.split()[1:], "--json")
    assert answer.code == 0
    assert answer.json["intervals"]["mAP"][0] > answer.json["chance"]["mAP"]


@pytest.mark.slow
def test_the_main_job_beats_chance(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"```bash\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    words = commands[0].split(".venv/bin/harness ")[1].split()
    answer = harness(*words, "--json")
    assert answer.code == 0
    assert answer.json["intervals"]["mAP"][0] > answer.json["chance"]["mAP"]


def test_it_counts_the_protocols_right() -> None:
    count = len(load_plugins().protocols)
    assert f"{count} named protocols" in (ROOT / "README.md").read_text()
