"""Measuring beside others: interleaved, with spread, and with the machine's own limits."""

from __future__ import annotations

from harness.bench.measure import Spread, interleaved, ratios, timed
from harness.bench.script import Asked, run_script
from harness.bench.table import Goal, Row
from harness.bench.worker import Reply, Worker

__all__ = [
    "Asked",
    "Goal",
    "Reply",
    "Row",
    "Spread",
    "Worker",
    "interleaved",
    "ratios",
    "run_script",
    "timed",
]
