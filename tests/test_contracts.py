"""The contracts that others hold us to, by their own scripts, where these are at hand."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import SHARED

TOOLS, GOLDEN = SHARED / "tools", SHARED / "golden"


@pytest.mark.skipif(not TOOLS.is_dir(), reason=f"there is no {TOOLS.name} folder in ../shared")
@pytest.mark.parametrize("words", [("golden_check.py", "small"), ("metrics_check.py",)])
def test_golden_numbers_hold_through_the_contracts(words: tuple[str, ...]) -> None:
    script, *sizes = words
    command = [sys.executable, str(TOOLS / script), str(GOLDEN), *sizes]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    held, _, every = done.stdout.splitlines()[-1].split()[:3]
    assert held == every and int(every) > 30, done.stdout
