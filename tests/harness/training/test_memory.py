"""What a process keeps between steps, seen from the system's side."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import resource, sys
from pathlib import Path
import torch
from harness.training.memory import give_back_memory, keep_freed_memory

if sys.argv[1] == "kept" and not keep_freed_memory():
    print("unknown")
    sys.exit()

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

def step():
    return [torch.ones(16 * 2**20) for _ in range(4)]

for _ in range(8):  # it takes a few until every piece has found its place
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
held = resident()
give_back_memory()
print((held - resident()) >> 20)
"""


def _said(word: str) -> list[int]:
    command = [sys.executable, "-c", _PROGRAM, word]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    if said == ["unknown"]:
        pytest.skip("this C library's allocator cannot be told")
    return [int(number) for number in said]


def test_what_is_freed_is_used_again_and_given_back_at_the_end() -> None:
    """A step of 256 MiB: in pages of 4 KiB these are 65,536, three times."""
    fresh, _ = _said("fresh")
    faults, given_back = _said("kept")
    assert faults < 0.1 * fresh
    assert given_back >= 200
