"""A finished run with evidence, made by the command line in seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import SMALL


def harness_run(tiny: Path, out: Path, *words: str) -> None:
    """`harness run` with the README's method at a tiny size, in a process of its own."""
    command = ["run", "--method", "tiny", "--plugin", str(tiny), "--out", str(out), *SMALL, *words]
    code = "from harness.cli import main; main()"
    done: Any = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, check=False,
        env={**os.environ, "OMP_WAIT_POLICY": "passive"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
