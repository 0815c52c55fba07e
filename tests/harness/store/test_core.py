"""The store keeps records as they are, from many processes, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from harness.base.errors import StoreError, UnknownNameError
from harness.evidence.record import METRICS, RunRecord
from harness.evidence.trust import Trust
from harness.store import Store
from harness.store.core import insert_runs
from harness.store.rows import summary_of
from tests.harness.records import make
from tests.harness.store.conftest import Place
from tests.harness.store.writers import EACH, all_at_once, write

HERE = Path("/somewhere/record.json")


def test_what_goes_in_comes_out(place: Place, tmp_path: Path) -> None:
    store = Store(place)
    records = [make(seed) for seed in (2, 0, 1)]
    for record in records:
        assert store.add(record, tmp_path / str(record.seed) / "record.json")
    again = Store(place)
    assert [s.record for s in again.all()] == sorted(records, key=lambda r: r.created)
    found = again.get(records[1].run_id[:8])
    assert found == (records[1], tmp_path / "0" / "record.json", Trust.REPORTED)


def test_reading_a_store_that_is_not_there_makes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    assert store.all() == [] and store.summaries() == [] and store.per_query(["a"]) == {}
    assert store.stamp() == Store(tmp_path / "store.db").stamp()
    store.moved("a", HERE)
    assert list(tmp_path.iterdir()) == []


def test_a_record_is_never_changed(place: Place) -> None:
    store, record = Store(place), make()
    assert store.add(record, HERE)
    assert not store.add(record, HERE)
    forged = record.model_copy(update={"metrics": dict.fromkeys(METRICS, 99.0)})
    with pytest.raises(StoreError, match="was edited"):
        store.add(forged, HERE)
    assert store.get(record.run_id).record == record


def test_another_record_under_the_same_id_is_an_error(place: Place) -> None:
    store, record = Store(place), make()
    other = make(1).model_copy(update={"run_id": record.run_id})
    with store.rewriting() as connection:
        insert_runs(connection, [(other, HERE)], store.places)
    with pytest.raises(StoreError, match=f"another record under the id {record.run_id}"):
        store.add(record, HERE)
    assert len(store.all()) == 1


def test_a_moved_file_is_found_and_the_record_stays(place: Place, tmp_path: Path) -> None:
    store, record = Store(place), make()
    store.add(record, HERE)
    store.moved(record.run_id, tmp_path / "new.json")
    assert store.get(record.run_id) == (record, tmp_path / "new.json", Trust.REPORTED)


def test_a_summary_says_what_the_record_says(place: Place, tmp_path: Path) -> None:
    intervals = dict.fromkeys(METRICS, (5.0, 50.0)) | {"mINP": None}
    record = make(
        2**40,
        recipe={"name": "a", "track": "official", "pretrained": "imagenet"},
        dataset={"label": "x" * 300, "data_hash": "d"},
        intervals=intervals,
        cost={"parameters": 2**33, "gflops": 0.1 + 0.2, "descriptor": 7, "latency_ms": 1.5},
        environment={"device": "cpu"},
    )
    store = Store(place)
    store.add(record, tmp_path / "record.json")
    (found,) = store.summaries()
    assert found == summary_of(record, tmp_path / "record.json")
    assert (found.track, found.pretrained, found.device) == ("official", "imagenet", "cpu")
    assert (found.parameters, found.gflops, found.training_seconds) == (2**33, 0.1 + 0.2, None)
    assert found.intervals == intervals and found.seed == 2**40


def test_summaries_of_one_table(place: Place) -> None:
    store = Store(place)
    for seed, (dataset, protocol) in enumerate([("a", "full"), ("a", "-TI"), ("b", "full")]):
        store.add(make(seed, dataset={"label": dataset}, protocol={"name": protocol}), HERE)
    assert [s.seed for s in store.summaries()] == [0, 1, 2]
    assert [s.seed for s in store.summaries(dataset="a")] == [0, 1]
    assert [s.seed for s in store.summaries(protocol="full")] == [0, 2]
    assert [s.seed for s in store.summaries(dataset="a", protocol="-TI")] == [1]


def test_each_querys_outcome(place: Place) -> None:
    store, old = Store(place), make(0)
    outcome = {"names": ["a", "b"], "ap": [0.5, None], "first_rank": [2, None]}
    new = make(1, per_query=outcome | {"pids": [7, 8], "inp": [0.25, None]})
    for record in (old, new):
        store.add(record, HERE)
    found = store.per_query([new.run_id, old.run_id, "unknown"])
    assert list(found) == [new.run_id, old.run_id]
    assert found[new.run_id] == (("a", "b"), (7, 8), (0.5, None), (2, None), (0.25, None))
    assert found[old.run_id].pids is None and found[old.run_id].inp is None


def test_trust_is_what_the_last_check_came_to(place: Place) -> None:
    store, record = Store(place), make()
    store.add(record, HERE)
    assert store.trust_of(record.run_id) is None
    store.set_trust(record.run_id, Trust.RERUN, {"seeds": [1]})
    store.set_trust(record.run_id, Trust.RESCORED, {"metrics": "all"})
    entry = store.trust_of(record.run_id)
    assert entry is not None and entry.trust is Trust.RESCORED
    assert entry.checked == {"metrics": "all"} and entry.when
    assert store.get(record.run_id).trust is Trust.RESCORED
    assert [s.trust for s in store.summaries()] == [Trust.RESCORED]


def test_trust_of_no_run_or_below_a_record(place: Place) -> None:
    store, record = Store(place), make()
    store.add(record, HERE)
    with pytest.raises(UnknownNameError, match="unknown run 'zzz'"):
        store.set_trust("zzz", Trust.RESCORED, {})
    with pytest.raises(ValueError, match="more than a claim"):
        store.set_trust(record.run_id, Trust.CLAIMED, {})


def test_levels_of_trust_are_in_order() -> None:
    upwards = (Trust.CLAIMED, Trust.EVALUATED, Trust.REPORTED, Trust.RESCORED, Trust.RERUN)
    assert [trust.rank for trust in upwards] == [0, 1, 2, 3, 4]


def test_the_stamp_changes_with_every_change_and_only_then(place: Place) -> None:
    store = Store(place)
    record = make()
    stamps = [store.stamp()]
    store.add(record, HERE)
    stamps.append(store.stamp())
    store.set_trust(record.run_id, Trust.RESCORED, {})
    stamps.append(store.stamp())
    store.moved(record.run_id, Path("/elsewhere"))
    stamps.append(store.stamp())
    assert len(set(stamps)) == 4
    store.add(record, HERE)
    assert Store(place).stamp() == stamps[-1]


def test_an_unknown_or_ambiguous_run(place: Place) -> None:
    store = Store(place)
    for seed in range(2):
        store.add(make(seed), HERE)
    with pytest.raises(UnknownNameError, match="unknown run 'zzz'"):
        store.get("zzz")
    for prefix in ("", "%", "_"):
        with pytest.raises(UnknownNameError):
            store.get(prefix)


def test_sixteen_processes_lose_nothing(place: Place) -> None:
    """From no store at all, and two writers for each record, so that they meet."""
    assert all_at_once(write, [(place, EACH * (i // 2)) for i in range(16)]) == [0] * 16
    summaries = Store(place).summaries()
    assert sorted(s.seed for s in summaries) == list(range(8 * EACH))
    assert all(s.trust is Trust.RESCORED for s in summaries)


def test_five_thousand_summaries_are_fast(place: Place) -> None:
    store, record = Store(place), make(per_query=_many_queries())
    records = [record.model_copy(update={"run_id": f"{n:016x}"}) for n in range(5000)]
    with store.rewriting() as connection:
        insert_runs(connection, [(r, HERE) for r in records], store.places)
    spent = []
    for _ in range(3):
        started = time.process_time()
        assert len(store.summaries()) == 5000
        spent.append(time.process_time() - started)
    # Not by the clock on the wall: other work may share the processor.
    assert min(spent) < 0.3


def _many_queries() -> dict[str, list[object]]:
    names: list[object] = [f"{i:06d}_cam1_0_00.jpg" for i in range(100)]
    return {"names": names, "ap": [0.123456789] * 100, "first_rank": [1] * 100}


def test_a_record_of_before_identities_still_hashes_to_its_id() -> None:
    # The id that the first version of the harness gave to these very contents.
    record = make(0)
    assert record.run_id == "26db78fdb528784b"
    text = record.model_dump_json()
    assert '"pids"' not in text and '"inp"' not in text
    assert RunRecord.model_validate_json(text) == record


def test_a_run_of_a_sweep_says_so_and_others_do_not(tmp_path: Path) -> None:
    plain, swept = make(0), make(1, sweep="grid")
    assert "sweep" not in plain.model_dump(mode="json"), "records of before would not hash"
    assert RunRecord.model_validate_json(swept.model_dump_json()) == swept
    store = Store(tmp_path / "store.db")
    store.add(plain, tmp_path / "0" / "record.json")
    store.add(swept, tmp_path / "1" / "record.json")
    assert [s.sweep for s in store.summaries()] == ["", "grid"]
    # A store from before there were sweeps has no such table, until the first such run.
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("DROP TABLE sweeps")
    assert [s.sweep for s in Store(tmp_path / "store.db").summaries()] == ["", ""]
    Store(tmp_path / "store.db").add(make(2, sweep="other"), tmp_path / "2" / "record.json")
    assert [s.sweep for s in store.summaries()] == ["", "", "other"]
