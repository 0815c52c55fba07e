"""What is installed: every folder with code and every file it reads are in the wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOP = {name: name for name in ("harness", "ieee", "baselines", "leaderboard_app")} | {
    "datasets": "reid_datasets"
}
READ = (".py", ".toml", ".txt", ".csv", ".md", ".css", ".html", ".png", ".typed")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel built of what git knows, so that stale build folders play no part."""
    copy, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in [*_tracked(), "pyproject.toml", "setup.py", "README.md", "LICENSE"]:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(made), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "No matching distribution found for setuptools" in done.stderr:
        pytest.skip("no registry to build a wheel with")
    assert done.returncode == 0, done.stderr
    (file,) = made.glob("*.whl")
    return set(zipfile.ZipFile(file).namelist())


def _tracked() -> list[str]:
    """Files of the installed folders that git has or would add; all that are there without git."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "--", *TOP]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found = done.stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        found = [str(p.relative_to(ROOT)) for top in TOP for p in (ROOT / top).rglob("*")]
    return [f for f in found if (ROOT / f).is_file() and "__pycache__" not in f]


def test_every_file_with_code_or_data_is_in_the_wheel(wheel: set[str]) -> None:
    wanted = set()
    for name in _tracked():
        top, _, rest = name.partition("/")
        if name.endswith(READ):
            wanted.add(f"{TOP[top]}/{rest}")
    assert len(wanted) > 300
    assert not sorted(wanted - wheel)


def test_nothing_else_is_installed(wheel: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel if ".dist-info/" not in name}
    assert tops == set(TOP.values())


def test_no_folder_of_code_is_left_out_of_git() -> None:
    """An ignore rule such as `runs/` once took a room of the core along."""
    tracked = set(_tracked())
    there = {
        str(p.relative_to(ROOT))
        for top in TOP
        for p in (ROOT / top).rglob("*.py")
        if "__pycache__" not in p.parts
    }
    assert not sorted(there - tracked)
