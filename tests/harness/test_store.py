"""The store keeps records as they are, from many processes, and says what is wrong with it."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from harness.errors import StoreError, UnknownNameError
from harness.record import METRICS, RunRecord, make_record
from harness.store import Store


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


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    records = [make(seed) for seed in range(3)]
    for record in records:
        assert store.add(record, tmp_path / str(record.seed) / "record.json")
    assert [s.record for s in Store(tmp_path / "store.db").all()] == records
    assert store.get(records[1].run_id[:8]).path == tmp_path / "1" / "record.json"


def test_a_record_is_never_changed(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    record = make()
    assert store.add(record, tmp_path / "record.json")
    forged = record.model_copy(update={"metrics": dict.fromkeys(METRICS, 99.0)})
    assert not store.add(forged, tmp_path / "record.json")
    assert store.get(record.run_id).record == record


def test_an_unknown_or_ambiguous_run(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    for seed in range(2):
        store.add(make(seed), tmp_path / "record.json")
    with pytest.raises(UnknownNameError, match="unknown run 'zzz'"):
        store.get("zzz")
    with pytest.raises(UnknownNameError):
        store.get("")


def _write(path: Path, first: int) -> None:
    store = Store(path)
    for seed in range(first, first + 10):
        store.add(make(seed), path.parent / "record.json")


def test_eight_processes_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(path, 10 * i)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [w.exitcode for w in workers] == [0] * 8
    assert len(Store(path).all()) == 80


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_text("this is not a database, and long enough to be taken for one" * 20)
    with pytest.raises(StoreError, match=r"store\.db does not answer"):
        Store(path)


def test_a_store_of_another_schema(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store(path)
    with sqlite3.connect(path) as connection:
        connection.execute("update about set schema_version = 7")
    with pytest.raises(StoreError, match="has schema 7"):
        Store(path)
