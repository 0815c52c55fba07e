"""Records and claims whose per-query results are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from harness.evidence.record import METRICS, RunRecord, write_record
from harness.evidence.trust import Trust
from harness.store import open_store
from harness.store.rows import PerQueryValues, Stored, Summary, summary_of
from tests.harness.records import make

PIDS = np.repeat(np.arange(30), 6)


class Claim(NamedTuple):
    """A published number; the fields that a table reads."""

    id: str = "someone-2024-t1"
    method: str = "SomeNet"
    method_key: str = ""
    variant: str = ""
    year: int | None = 2024
    venue: str = "CVPR"
    backbone: str = "ViT-B/16"
    dataset: str = "somewhere"
    protocol: str = "full"
    mAP: float | None = 70.0
    R1: float | None = 80.0
    R5: float | None = None
    R10: float | None = None
    mINP: float | None = None
    params_m: float | None = 86.5
    flops_g: float | None = None
    pretraining: str = "imagenet"
    tags: tuple[str, ...] = ("pretraining:imagenet", "text-at-test")
    source: str = "its paper"
    source_url: str = "https://example.org/paper"
    conflict: str = ""


def record(level: float = 0.5, luck: int = 0, seed: int = 1, **change: Any) -> RunRecord:
    """A record on 30 identities; all share which are hard, `level` is how good the method is."""
    hard = np.random.default_rng(0).normal(0, 0.15, 30)
    own = np.random.default_rng([luck, 1]).normal(0, 0.05, 30)
    ap = np.clip(level + (hard + own)[PIDS], 0, 1)
    names = tuple(f"{pid:06d}_{n}" for n, pid in enumerate(PIDS))
    ranks = tuple(int(r) for r in 1 + 10 * (1 - ap))
    fields: dict[str, Any] = {
        "seed": seed,
        "dataset": {"label": "somewhere", "name": "somewhere", "data_hash": "d" * 64},
        "protocol": {"name": "full", "filter": "same_pid_same_cam", "distance": "euclidean"},
        "metrics": dict.fromkeys(METRICS, float(100 * ap.mean())),
        "queries": len(PIDS),
        "valid_queries": len(PIDS),
        "per_query": {
            "names": names,
            "ap": tuple(ap.tolist()),
            "first_rank": ranks,
            "pids": tuple(PIDS.tolist()),
            "inp": tuple(ap.tolist()),
        },
    }
    return make(**{**fields, **change})


def summaries(*records: RunRecord, trust: Trust = Trust.REPORTED) -> list[Summary]:
    return [summary_of(r, Path("runs") / r.run_id / "record.json", trust) for r in records]


def stored(*records: RunRecord) -> list[Stored]:
    return [Stored(r, Path("runs") / r.run_id / "record.json") for r in records]


def per_query(*records: RunRecord) -> Any:
    """A function as `Store.per_query`."""
    found = {r.run_id: PerQueryValues(**dict(r.per_query)) for r in records}
    return lambda run_ids: {run_id: found[run_id] for run_id in run_ids if run_id in found}


def keep(out: Path, *records: RunRecord) -> None:
    """Records in a store, as harness run leaves them."""
    out.mkdir(exist_ok=True)
    store = open_store(out)
    for one in records:
        folder = out / one.recipe_hash[:12] / one.run_id
        folder.mkdir(parents=True)
        write_record(folder / "record.json", one)
        store.add(one, folder / "record.json")


def own(n: int) -> dict[str, str]:
    """A recipe hash of its own."""
    return {"recipe_hash": f"{n:064x}"[::-1]}
