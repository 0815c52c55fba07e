"""Rows of a table, made by hand."""

from __future__ import annotations

from typing import Any

from harness.board import BoardRow, BoardTable
from harness.evidence.record import METRICS
from harness.evidence.trust import Trust


def row(key: str, mAP: float | None = 50.0, **changes: Any) -> BoardRow:
    """A run's row; `changes` replace fields."""
    fields: dict[str, Any] = {
        "kind": "run",
        "key": key,
        "title": key,
        "method": key,
        "year": None,
        "venue": "",
        "backbone": "",
        "recipe": "smoke",
        "track": "smoke",
        "seeds": (1,),
        "run_ids": (f"id-{key}",),
        "metrics": {} if mAP is None else dict.fromkeys(METRICS, mAP),
        "spread": None,
        "intervals": {},
        "rank": None,
        "tie_group": None,
        "trust": Trust.REPORTED,
        "selection": "last",
        "tags": (),
        "pretraining": "none",
        "parameters": None,
        "gflops": None,
        "descriptor": None,
        "source": "",
        "source_url": "",
        "conflict": "",
        "created": "2026-11-23T14:44:10",
    }
    return BoardRow(**{**fields, **changes})


def claim(key: str, mAP: float | None = 50.0, **changes: Any) -> BoardRow:
    """A published number's row."""
    about: dict[str, Any] = {
        "kind": "claim",
        "trust": Trust.CLAIMED,
        "selection": "",
        "seeds": (),
        "run_ids": (),
        "recipe": "",
        "track": "",
        "created": "",
        "pretraining": "",
        "family": changes.get("title", key),
    }
    return row(key, mAP, **{**about, **changes})


def table(*rows: BoardRow) -> BoardTable:
    """A table of these rows."""
    chance = dict.fromkeys(METRICS, 5.0)
    return BoardTable("set", "d" * 64, "full", "p" * 64, chance, 10, 8, None, rows)
