"""Records with made-up numbers, for tests of what is done with records."""

from __future__ import annotations

from typing import Any

from harness.evidence.record import METRICS, RunRecord, make_record


def make(seed: int = 0, **change: Any) -> RunRecord:
    """A record with made-up numbers."""
    fields: dict[str, Any] = {
        "created": f"2026-01-01T00:00:{seed % 60:02d}.000+00:00",
        "harness_version": "0",
        "method": "made-up",
        "missing_policy": "none",
        "recipe": {"name": "smoke"},
        "recipe_hash": "r" * 64,
        "dataset": {"label": "nowhere", "data_hash": "d" * 64},
        "protocol": {"name": "full"},
        "protocol_hash": "p" * 64,
        "seed": seed,
        "selection": "last",
        "code_hash": "c" * 64,
        "inputs_hash": "i" * 64,
        "metrics": dict.fromkeys(METRICS, 10.0 + seed),
        "intervals": dict.fromkeys(METRICS, (5.0, 50.0)),
        "chance": dict.fromkeys(METRICS, 1.0),
        "queries": 2,
        "valid_queries": 1,
        "cmc": [0.5, 1.0],
        "per_query": {"names": ["a", "b"], "ap": [0.1, None], "first_rank": [3, None]},
        "training": [],
        "cost": {},
        "environment": {},
        "evidence": {},
    }
    return make_record(**(fields | change))
