"""`harness store export`: what goes out comes in again, with all that is known of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.evidence import evaluations
from harness.evidence.record import evidence_of
from harness.store import Store
from harness.store.core import insert_runs
from tests.conftest import Harness
from tests.harness.records import make
from tests.harness.store.conftest import finished


def test_what_goes_out_comes_in(
    harness: Harness, runs: tuple[Path, Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, store = runs
    away = tmp_path / "away"
    answer = harness("store", "export", away, "--out", out, "--json")
    assert answer.code == 0 and len(answer.json["records"]) == 3 and not answer.json["missing"]
    assert len(list(away.glob("*/features.npz"))) == 3
    monkeypatch.delenv("HARNESS_STORE", raising=False)
    (tmp_path / "other").mkdir()
    other = ("--out", tmp_path / "other", "--json")
    taken = harness("store", "import", away, *other)
    assert taken.code == 0 and sorted(taken.json["added"]) == sorted(answer.json["records"])
    again = harness("store", "import", away, *other)
    assert again.json["added"] == [] and len(again.json["known"]) == 3
    assert [s.record for s in Store(tmp_path / "other" / "store.db").all()] == [
        s.record for s in store.all()
    ]
    assert harness("store", "check", *other).json["ok"]


def test_what_its_weights_scored_since_goes_out_with_a_run(
    harness: Harness, tmp_path: Path
) -> None:
    out = tmp_path / "runs"
    folder = out / "abc" / "0"
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(b"weights")
    weights = evidence_of(folder / "weights.safetensors")
    record = finished(out, 1, evidence={"weights": weights.model_dump()})
    folder = out / "abc" / "1"
    Store(out / "store.db").add(record, folder / "record.json")
    outcome = record.per_query
    result = {
        **dict.fromkeys(("protocol_hash", "data_hash"), "b" * 64),
        "protocol": "-NI",
        "queries": 2,
        "valid_queries": 2,
        "per_query": outcome,
        "metrics": {"mAP": 12.5},
        "intervals": {"mAP": (10.0, 15.0)},
        "chance": {"mAP": 5.0},
    }
    evaluations.keep(folder, weights.sha256, [result])
    harness("store", "export", tmp_path / "away", "--out", out)
    kept = tmp_path / "away" / record.run_id
    (one,) = evaluations.read(kept, weights.sha256)
    assert one.protocol == "-NI" and one.metrics == {"mAP": 12.5}
    assert evaluations.outcome_of(kept, one) == outcome
    # Weights of another training have nothing to say about this one.
    assert evaluations.read(kept, "c" * 64) == []


def test_export_says_which_evidence_is_not_here(harness: Harness, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    out.mkdir()
    store = Store(out / "store.db")
    evil = make(1, evidence={"weights": {"file": "../../passwd", "sha256": "0"}})
    far = make(2, evidence={"weights": {"file": "weights.safetensors", "sha256": "0"}})
    with store.rewriting() as connection:
        pairs = [(evil, out / "x" / "record.json"), (far, Path("/far/r.json"))]
        insert_runs(connection, pairs, store.places)
    answer = harness("store", "export", tmp_path / "away", "--out", out, "--json")
    assert answer.code == 0
    assert "is not a file name" in answer.json["missing"][0]["seen"]
    assert "there is no /far/weights" in answer.json["missing"][1]["seen"]
