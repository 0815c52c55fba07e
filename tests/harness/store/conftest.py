"""A store on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.evidence.record import RunRecord, evidence_of, write_record
from harness.store import Store
from tests.harness.records import make
from tests.postgres import Server, running

Place = Path | str


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server of these tests' own."""
    with running() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a new store can be."""
    if request.param == "sqlite":
        return tmp_path / "store.db"
    server: Server = request.getfixturevalue("server")
    return server.new()


# What OpenDataset.summary says of a set.
SUMMARY: dict[str, Any] = {
    "name": "nowhere",
    "label": "nowhere",
    "data_hash": "d" * 64,
    "file_list_hash": "f" * 64,
    "published_list": False,
    "made_like": None,
    "made_from": None,
    "accepted_variant": None,
    "counts": {},
}


def finished(out: Path, seed: int, **change: Any) -> RunRecord:
    """A run folder with evidence and a record, as harness run leaves it."""
    folder = out / "abc" / str(seed)
    folder.mkdir(parents=True)
    (folder / "features.npz").write_bytes(b"numbers %d" % seed)
    fields: dict[str, Any] = {
        "evidence": {"features": evidence_of(folder / "features.npz").model_dump()},
        "dataset": SUMMARY,
        "environment": {"device": "cpu"},
        **dict.fromkeys(("recipe_hash", "protocol_hash", "code_hash", "inputs_hash"), "a" * 64),
    }
    record = make(seed, **(fields | change))
    write_record(folder / "record.json", record)
    return record


@pytest.fixture
def runs(tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Store]:
    """An --out folder with three runs and their store, which the commands find."""
    out = tmp_path / "runs"
    records = [finished(out, seed) for seed in range(3)]
    if isinstance(place, str):
        monkeypatch.setenv("HARNESS_STORE", place)
    store = Store(place if isinstance(place, str) else out / "store.db")
    for record in records:
        store.add(record, out / "abc" / str(record.seed) / "record.json")
    return out, store
