"""The leaderboard as a function of records."""

from __future__ import annotations

from harness.board import board
from harness.record import METRICS
from tests.harness.test_store import make


def test_only_the_same_data_and_protocol_share_a_table() -> None:
    records = [
        make(1),
        make(2, dataset={"label": "nowhere", "data_hash": "e" * 64}),
        make(3, protocol_hash="q" * 64),
        make(4),
    ]
    tables = board(records)
    assert [[row.seed for row in table.rows] for table in tables] == [[4, 1], [3], [2]]
    assert len({table.title for table in tables}) == 3


def test_the_best_is_first_and_equals_are_in_a_fixed_order() -> None:
    records = [make(seed, metrics=dict.fromkeys(METRICS, 20.0)) for seed in range(5)]
    (one,), (other,) = board(records), board(reversed(records))
    assert one.rows == other.rows
    assert [row.run_id for row in one.rows] == sorted(r.run_id for r in records)


def test_no_records_make_no_table() -> None:
    assert board([]) == []
