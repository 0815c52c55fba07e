"""The scripts of the GPU day: what they import is there, and their tiny form runs without a GPU."""

from __future__ import annotations

import ast
import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

GPU_DAY = ROOT / "benchmarks" / "gpu_day"
MODULES = sorted(GPU_DAY.rglob("*.py"))
OURS = ("harness", "ieee", "baselines", "reid_datasets", "benchmarks")
SECTIONS = {
    1: {
        *("environment", "first", "suite", "conformance", "processes"),
        *("agreement", "resume", "determinism"),
    },
    2: {"speed", "graphs"},
    3: {"training", "scoring"},
}
"""What each command keeps its results under."""


def imported(path: Path) -> list[tuple[str, str | None]]:
    """Modules of ours that a script imports anywhere, and the names it takes from them."""
    found: list[tuple[str, str | None]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.module, alias.name) for alias in node.names]
    return [(module, name) for module, name in found if module.split(".")[0] in OURS]


def test_the_scripts_are_found() -> None:
    names = {path.stem for path in MODULES}
    parts = {section for sections in SECTIONS.values() for section in sections}
    assert parts | {"common", "shop", "probe", "pretended", "steps"} <= names
    said = (GPU_DAY / "run.sh").read_text(encoding="utf-8")
    assert all(f" {part}" in said for part in parts)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_a_script_imports_is_there(path: Path) -> None:
    pytest.importorskip("torch")
    for module, name in imported(path):
        there = importlib.import_module(module)
        if name is None or hasattr(there, name):
            continue
        importlib.import_module(f"{module}.{name}")


@pytest.mark.parametrize("script", sorted(GPU_DAY.rglob("*.sh")), ids=lambda path: path.parent.name)
def test_shell_scripts_can_be_read(script: Path) -> None:
    subprocess.run(["bash", "-n", script], check=True)


def test_a_command_that_there_is_not_is_refused() -> None:
    done = subprocess.run(
        ["bash", GPU_DAY / "run.sh", "4"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "commands 1, 2 and 3" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", SECTIONS)
def test_the_tiny_form_of_a_command_shows_no_error(number: int, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    kit = tmp_path / "kit"
    kit.mkdir()
    shutil.copy(GPU_DAY / "run.sh", kit)
    environment = {
        **os.environ,
        "PYTHON": sys.executable,
        "OUT": str(tmp_path / "out"),
        "GPU_DAY_WORK": str(tmp_path / "work"),
        "HARNESS_CACHE": str(tmp_path / "cache"),
        "PATIENCE": "10",
        "BUDGET": "3600",
    }
    command = ["bash", kit / "run.sh", str(number), "--tiny"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    found: dict[str, Any] = json.loads((tmp_path / "out" / f"results_{number}.json").read_text())
    assert SECTIONS[number] <= set(found)
    assert {name: part for name, part in found.pop("parts").items() if part["code"]} == {}
    steps = {
        (section, name): value
        for section, values in found.items()
        for name, value in values.items()
        if isinstance(value, dict)
    }
    assert {key: value for key, value in steps.items() if value.get("status", "ok") != "ok"} == {}
    assert {key: value for key, value in steps.items() if value.get("code", 0) not in (0, 5)} == {}


@pytest.mark.slow
def test_a_method_runs_on_a_pretended_gpu(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if shutil.which("gcc") is None:
        pytest.skip("no gcc, which compiles the stubs")
    if torch.version.cuda is None:
        pytest.skip("torch is not built for CUDA")
    done = subprocess.run(
        ["bash", GPU_DAY / "without_gpu" / "run.sh", "ieee"],
        env={**os.environ, "PYTHON": sys.executable, "HARNESS_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "== ieee exact" in done.stdout and "== ieee fast" in done.stdout
