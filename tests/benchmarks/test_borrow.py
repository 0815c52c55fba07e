"""Code as it lies there is imported, with placeholders for what is missing around it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

OLD = """
from numpy.lib.type_check import real
from numpy import a_name_that_moved
import a_library_that_is_not_there.part as part
from a_library_that_is_not_there import Thing
from old_peer.inner import VALUE
import numpy as np

def kept(number):
    return np.float(number) * VALUE

def uses_it():
    return Thing()
"""


def test_an_old_package_works_but_for_what_is_missing(tmp_path: Path) -> None:
    package = tmp_path / "old_peer"
    package.mkdir()
    (package / "__init__.py").write_text(OLD)
    (package / "inner.py").write_text("VALUE = 3\n")
    before = {file: file.read_bytes() for file in package.glob("*.py")}
    code = f"""
from pathlib import Path
from benchmarks.peers.borrow import borrowed
peer = borrowed(Path({str(tmp_path)!r}), "old_peer")
assert peer.kept(2) == 6
try:
    peer.uses_it()
except ImportError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "uses a_library_that_is_not_there.Thing, which is not there" in done.stdout, done.stderr
    assert {file: file.read_bytes() for file in package.glob("*.py")} == before


def test_what_the_peer_itself_lacks_is_no_placeholder(tmp_path: Path) -> None:
    (tmp_path / "broken_peer").mkdir()
    (tmp_path / "broken_peer" / "__init__.py").write_text("from broken_peer.gone import x\n")
    code = f"""
from pathlib import Path
from benchmarks.peers.borrow import borrowed
borrowed(Path({str(tmp_path)!r}), "broken_peer")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "No module named 'broken_peer.gone'" in done.stderr
