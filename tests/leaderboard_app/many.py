"""A store of many made-up runs, for what must stay fast and small however many there are."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.base.hashing import digest
from harness.evidence.features_file import Side, write_features
from harness.evidence.record import METRICS, RunRecord, make_record
from harness.scoring.labels import Labels
from harness.spec.protocol import BoundProtocol
from harness.store import STORE_NAME, Store
from harness.store.core import insert_runs

IDENTITIES = 30
LARGE = ("rgbnt201", "full")
"""The data set and protocol with most rows."""

_METHODS = ("ieee", "unicat", "pfnet", "hamnet", "mlfn", "hacnn", "osnet", "hc", "ddag", "mpanet")
_DATASETS = ("rgbnt201-drawn@17", "rgbnt100", "msvr310", "market1501-mm", "wmveid863", "ours@2f")
_PROTOCOLS = ("full", "-NI", "-TI", "-NI-TI", "RGB>NI", "RGB>TI", "RGB+TI")
_AT_ONCE = 200
_WIDTH = 2304


def fill(
    folder: Path, runs: int, rows: int, queries: int = 836, evidence: bool = True, seed: int = 0
) -> None:
    """Make a store of `runs` records in `folder`, each with the outcome of every query.

    Args:
        folder: The --out folder; made if need be.
        runs: Of these, a part is in the large table and the others in many small ones.
        rows: Of the large table; a third of them have three seeds.
        queries: Of each run, of `IDENTITIES` identities.
        evidence: Whether descriptors lie beside each record: one file, linked many times.
        seed: Of all numbers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(folder / STORE_NAME)
    rng = np.random.default_rng(seed)
    pids = np.arange(queries) % IDENTITIES
    # An identity is hard for every method, so that rows go along with each other as real ones do.
    ease = rng.normal(0, 0.15, IDENTITIES)[pids] + rng.normal(0, 0.1, queries)
    files = _evidence(folder, pids, rng) if evidence else []
    waiting: list[tuple[RunRecord, Path]] = []
    for number, about in enumerate(_plans(runs, rows)):
        record = _record(number, pids, ease, rng, about)
        place = folder / record.run_id
        if files:
            place.mkdir()
        for file in files:
            os.link(file, place / file.name)
        waiting.append((record, place / "record.json"))
        if len(waiting) == _AT_ONCE:
            _keep(store, waiting)
    _keep(store, waiting)


def fill_quickly(folder: Path, copies: int = 20, made: int = 250) -> None:
    """A store of `copies` times `made` runs; most are copies of few under other data sets.

    They have 200 queries and no evidence, and the large table has 45 rows: 5,000 runs in a second.
    """
    fill(folder, made, rows=45, queries=200, evidence=False)
    with sqlite3.connect(folder / STORE_NAME) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(runs)")]
        changed = {"run_id": "substr(run_id, 1, 13) || :copy", "dataset": ":copy || dataset"}
        values = ", ".join(changed.get(name, name) for name in columns)
        # No id of ours has an x.
        for copy in (f"x{number:02d}" for number in range(1, copies)):
            connection.execute(
                "INSERT INTO records SELECT substr(run_id, 1, 13) || :copy, record FROM records "
                f"ORDER BY rowid LIMIT {made}",
                {"copy": copy},
            )
            connection.execute(
                f"INSERT INTO runs SELECT {values} FROM runs ORDER BY rowid LIMIT {made}",
                {"copy": copy},
            )
        connection.execute("UPDATE about SET revision = revision + 1")
    connection.close()


def _plans(runs: int, rows: int) -> Iterator[dict[str, Any]]:
    """Where each run belongs: the large table's rows first, then small tables in turns."""
    done = 0
    for row in range(rows):
        for seed in range(3 if row % 3 == 0 else 1):
            yield {"dataset": LARGE[0], "protocol": LARGE[1], "row": row, "seed": seed + 1}
            done += 1
    for number in range(runs - done):
        row, table = divmod(number, len(_DATASETS) * len(_PROTOCOLS))
        protocol, dataset = divmod(table, len(_DATASETS))
        yield {
            "dataset": _DATASETS[dataset],
            "protocol": _PROTOCOLS[protocol],
            "row": row,
            "seed": 1,
        }


def _record(
    number: int,
    pids: NDArray[np.int64],
    ease: NDArray[np.float64],
    rng: np.random.Generator,
    about: dict[str, Any],
) -> RunRecord:
    row, dataset, protocol = about["row"], about["dataset"], about["protocol"]
    skill = 0.35 + 0.3 * np.random.default_rng(row).random()
    ap = np.clip(skill + ease + rng.normal(0, 0.15, len(pids)), 0.001, 1.0)
    first = np.maximum(1, np.round(1 / ap)).astype(int)
    metrics = {
        "mAP": 100 * float(ap.mean()),
        **{m: 100 * float((first <= int(m[1:])).mean()) for m in METRICS if m.startswith("R")},
        "mINP": 50 * float(ap.mean()),
    }
    whole = BoundProtocol(name=protocol, title=protocol, filter="same_pid_same_cam")
    return make_record(
        created=f"2026-{1 + number % 12:02d}-{1 + number % 28:02d}T10:00:00.000+00:00",
        harness_version="0.1.0",
        method=_METHODS[row % len(_METHODS)],
        missing_policy="none",
        recipe={"name": f"row-{row}", "track": "official", "pretrained": "none", "epochs": 60},
        recipe_hash=digest(["recipe", row]),
        dataset={"label": dataset, "data_hash": digest(dataset)},
        protocol=whole.model_dump(mode="json"),
        protocol_hash=digest(protocol),
        seed=about["seed"],
        selection="last",
        code_hash=digest("code"),
        inputs_hash=digest("inputs"),
        metrics=metrics,
        intervals={m: (v - 6.0, v + 6.0) for m, v in metrics.items()},
        chance=dict.fromkeys(METRICS, 5.294),
        queries=len(pids),
        valid_queries=len(pids),
        cmc=[min(1.0, 0.5 + 0.01 * rank) for rank in range(50)],
        per_query={
            "names": _names(pids),
            "pids": pids.tolist(),
            "ap": ap.tolist(),
            "first_rank": first.tolist(),
            "inp": (ap / 2).tolist(),
        },
        training=[
            {"epoch": e, "lr": 1e-3, "losses": {"identity": 4 / e, "triplet": 1 / e}}
            for e in range(1, 61)
        ],
        cost={"parameters": 23_000_000 + row, "gflops": 8.1, "latency_ms": 20.0},
        environment={"device": "cpu", "python": "3.11.7"},
        evidence={},
    )


def _names(pids: NDArray[np.int64]) -> list[str]:
    return [f"{pid:06d}_cam{1 + n % 2}_0_{n:04d}.jpg" for n, pid in enumerate(pids)]


def _evidence(folder: Path, pids: NDArray[np.int64], rng: np.random.Generator) -> list[Path]:
    """Descriptors and rank lists as large as those of a real run; the order in them is random."""
    here = folder / "evidence"
    here.mkdir()
    features = rng.standard_normal((len(pids), _WIDTH), dtype=np.float32)
    labels = Labels(pids, np.arange(len(pids)) % 2)
    write_features(here / "features.npz", Side(features, tuple(_names(pids)), labels), None)
    lists = np.stack([rng.permutation(len(pids))[:50] for _ in pids]).astype(np.int32)
    np.savez(here / "ranks.npz", rank_lists=lists)
    return [here / "features.npz", here / "ranks.npz"]


def _keep(store: Store, waiting: list[tuple[RunRecord, Path]]) -> None:
    with store.rewriting() as connection:
        insert_runs(connection, waiting, store.places)
    waiting.clear()
