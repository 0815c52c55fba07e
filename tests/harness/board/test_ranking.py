"""Ranks of a table of records."""

from __future__ import annotations

import time

import pytest

from harness.base.errors import UnknownNameError
from harness.board import board, metric_values, rank_table
from harness.evidence.record import METRICS, RunRecord
from harness.stats import paired
from tests.harness.board.helpers import PIDS, Claim, per_query, record, summaries


def own(n: int) -> dict[str, str]:
    return {"recipe_hash": f"{n:064x}"[::-1]}


def three() -> list[RunRecord]:
    return [record(0.7, 1, **own(1)), record(0.35, 2, **own(2)), record(0.36, 3, **own(3))]


def test_rows_that_cannot_be_told_apart_share_a_rank_and_claims_have_none() -> None:
    runs = three()
    (table,) = board(summaries(*runs), [Claim()])
    ranked = rank_table(table, per_query(*runs))
    by_run = {row.run_ids: row for row in ranked.rows}
    assert by_run[(runs[0].run_id,)].rank == (1, 1)
    assert by_run[(runs[1].run_id,)].rank == by_run[(runs[2].run_id,)].rank == (2, 3)
    assert [row.tie_group for row in ranked.runs] == [1, 2, 2]
    assert by_run[()].rank is None and by_run[()].tie_group is None
    assert ranked.resolution is not None and 0.5 < ranked.resolution < 10
    assert board(summaries(*runs), [Claim()], per_query(*runs)) == [ranked]


def test_it_agrees_with_a_paired_comparison() -> None:
    runs = three()
    ranked = rank_table(board(summaries(*runs))[0], per_query(*runs))
    values = [100 * PIDS * 0 + [100 * v for v in run.per_query.ap or ()] for run in runs]
    assert ranked.resolution == pytest.approx(
        sorted(
            (one.interval[1] - one.interval[0]) / 2
            for one in (paired(values[a], values[b], PIDS) for a, b in ((0, 1), (0, 2), (2, 1)))
        )[1],
        rel=1e-6,
    )


def test_a_row_of_seeds_gets_an_interval_of_its_mean() -> None:
    runs = [record(0.5, luck, seed=luck) for luck in (1, 2, 3)]
    ranked = rank_table(board(summaries(*runs))[0], per_query(*runs))
    low, high = ranked.rows[0].intervals["mAP"] or (0, 0)
    assert 0 < low < ranked.rows[0].metrics["mAP"] < high < 100


def test_records_of_which_the_identities_are_not_known_or_others_are_not_ranked() -> None:
    runs = three()
    old = runs[1].per_query.model_copy(update={"pids": None, "inp": None})
    other = runs[2].per_query.model_copy(update={"names": tuple(map(str, PIDS))})
    runs[1] = record(0.35, 2, **own(2), per_query=old)
    runs[2] = record(0.36, 3, **own(3), per_query=other)
    ranked = rank_table(board(summaries(*runs))[0], per_query(*runs))
    assert [row.rank for row in ranked.rows] == [(1, 1), None, None]
    assert ranked.resolution is None


def test_other_metrics_rank_too_and_a_wrong_one_is_named() -> None:
    runs = three()
    (table,) = board(summaries(*runs))
    for metric in METRICS:
        assert rank_table(table, per_query(*runs), metric).rows[0].rank is not None
    with pytest.raises(UnknownNameError, match="R3"):
        rank_table(table, per_query(*runs), "R3")


def test_values_of_a_query_are_what_the_metrics_are_means_of() -> None:
    run = record(0.6)
    found = next(iter(per_query(run)([run.run_id]).values()))
    gap = found._replace(first_rank=(None, 1, 6), ap=(None, 1.0, 0.5), inp=None)
    assert metric_values(gap, "mINP") is None
    for metric, values in (("R1", [100, 0]), ("R5", [100, 0]), ("R10", [100, 100])):
        assert (metric_values(gap, metric)[1:] == values).all()  # type: ignore[index]
    assert metric_values(gap, "mAP").tolist()[1:] == [100.0, 50.0]  # type: ignore[union-attr]


def test_many_rows_are_ranked_in_a_second_or_two() -> None:
    runs = [record(0.3 + n / 800, n, **own(n)) for n in range(230)]
    (table,) = board(summaries(*runs))
    start = time.process_time()
    ranked = rank_table(table, per_query(*runs))
    assert time.process_time() - start < 6
    assert sum(row.rank is not None for row in ranked.rows) == 200
    assert all(row.rank is None for row in ranked.rows[200:])
