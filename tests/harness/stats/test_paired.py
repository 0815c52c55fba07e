"""Paired comparisons: against the plain twin, and simulations of which the truth is known."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.base.errors import ScoringError
from harness.stats import holm, identity_interval, paired, rank_groups
from harness.stats.bootstrap import Floats, drawn_weights
from harness.stats.reference import paired_plain

PIDS = np.repeat(np.arange(30), 20)


def two_methods(rng: np.random.Generator, difference: float = 0.0, seeds: int = 1) -> list[Floats]:
    """(k, q) values of two methods: shared difficulty, own taste, own luck of each training."""
    difficulty = 0.2 * rng.standard_normal(30)[PIDS]
    sides = []
    for better in (difference, 0.0):
        taste = 0.1 * rng.standard_normal(30)[PIDS]
        luck = 0.03 * rng.standard_normal((seeds, 1)) if seeds > 1 else 0.0
        noise = 0.1 * rng.standard_normal((seeds, len(PIDS)))
        sides.append(0.5 + better + difficulty + taste + luck + noise)
    return sides


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), identities=st.integers(2, 9), level=st.sampled_from([0.8, 0.95]))
def test_it_agrees_with_the_plain_twin(seed: int, identities: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    pids = np.repeat(np.arange(identities) * 7, rng.integers(1, 6, identities))
    a, b = rng.random((2, len(pids)))
    draws = np.concatenate(list(drawn_weights(identities, 200, seed))).astype(int).tolist()
    fast = paired(a, b, pids, resamples=200, level=level, seed=seed)
    plain = paired_plain(a.tolist(), b.tolist(), pids.tolist(), draws, level)
    assert (fast.difference, *fast.interval) == pytest.approx(plain, abs=1e-10)
    ranking = rank_groups([a, b], pids, resamples=200, level=level, seed=seed)
    assert ranking.better[0, 1] == (plain[1] > 0)
    assert ranking.better[1, 0] == (plain[2] < 0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), level=st.sampled_from([0.5, 0.9, 0.95, 0.98]))
def test_p_is_below_a_share_exactly_when_the_interval_leaves_out_zero(
    seed: int, level: float
) -> None:
    rng = np.random.default_rng(seed)
    a, b = two_methods(rng, difference=rng.normal(0, 0.08), seeds=int(rng.integers(1, 4)))
    found = paired(a, b, PIDS, resamples=999, level=level, seed=seed)
    assert found.differs == (found.p < 1 - level)
    back = paired(b, a, PIDS, resamples=999, level=level, seed=seed)
    assert back.difference == pytest.approx(-found.difference)
    assert back.interval == pytest.approx((-found.interval[1], -found.interval[0]), abs=1e-9)
    assert back.p == pytest.approx(found.p, abs=1e-6)


def test_intervals_cover_and_p_is_uniform_under_the_null() -> None:
    rng = np.random.default_rng(5)
    found = [paired(*two_methods(rng), PIDS, resamples=999, seed=trial) for trial in range(1000)]
    ps = [one.p for one in found]
    covered = np.mean([one.interval[0] <= 0 <= one.interval[1] for one in found])
    assert 0.92 <= covered <= 0.98
    assert 0.03 <= np.mean(np.array(ps) < 0.05) <= 0.07
    # The largest gap between the p-values' and the uniform distribution (Kolmogorov, 0.1 %).
    gap = np.abs(np.sort(ps) - np.arange(1, 1001) / 1000).max()
    assert gap < 1.95 / math.sqrt(1000) + 0.01


def test_seeds_that_differ_widen_the_interval_and_it_still_covers() -> None:
    rng = np.random.default_rng(6)
    hits = fixed = 0
    trials = 400
    for trial in range(trials):
        a, b = two_methods(rng, seeds=3)
        low, high = paired(a, b, PIDS, resamples=999, seed=trial).interval
        hits += low <= 0 <= high
        low, high = paired(a.mean(axis=0), b.mean(axis=0), PIDS, resamples=999).interval
        fixed += low <= 0 <= high
    # Few seeds are known badly, so it errs towards covering too often.
    assert hits / trials >= 0.93
    assert fixed < hits


def test_the_paired_interval_is_much_narrower_than_the_two_intervals() -> None:
    a, b = (side[0] for side in two_methods(np.random.default_rng(0)))
    low, high = paired(a, b, PIDS).interval
    alone = identity_interval(a, PIDS)
    assert high - low < 0.9 * math.sqrt(2) * (alone[1] - alone[0])


def test_a_run_ties_with_itself_and_one_identity_says_nothing() -> None:
    a = np.random.default_rng(0).random(len(PIDS))
    same = paired(a, a, PIDS)
    assert same.difference == 0 and same.interval == (0, 0) and same.p == 1 and not same.differs
    alone = paired(a, a - 0.5, np.zeros(len(PIDS), dtype=int))
    assert alone.difference == pytest.approx(0.5) and not alone.differs
    assert math.isnan(alone.p) and math.isnan(alone.interval[0])


def test_ten_thousand_resamples_of_a_large_test_set_take_less_than_a_second() -> None:
    rng = np.random.default_rng(0)
    pids = np.repeat(np.arange(750), 5)[:3368]
    a, b = rng.random((2, 3368))
    best = math.inf
    for _ in range(3):
        start = time.process_time()
        paired(a, b, pids, resamples=10_000)
        best = min(best, time.process_time() - start)
    assert best < 1


def test_rows_on_different_queries_are_refused() -> None:
    a = np.random.default_rng(0).random(len(PIDS))
    with pytest.raises(ScoringError, match="at different queries"):
        paired(a, np.where(np.arange(len(a)) == 3, np.nan, a), PIDS)
    with pytest.raises(ScoringError, match="with pids of shape"):
        paired(a, a, PIDS[1:])


def test_holm_multiplies_by_how_many_are_left() -> None:
    assert holm([0.01, 0.04, 0.03, math.nan]) == pytest.approx(
        (0.03, 0.06, 0.06, math.nan), nan_ok=True
    )
    assert holm([0.5, 0.6]) == (1.0, 1.0)
    assert holm([]) == ()


def test_holm_keeps_the_chance_of_any_false_find_below_five_percent() -> None:
    ps = np.random.default_rng(0).random((2000, 10))
    assert np.mean([min(holm(row.tolist())) < 0.05 for row in ps]) < 0.065
    assert np.mean(ps.min(axis=1) < 0.05) > 0.3
