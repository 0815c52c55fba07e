"""Ranks of a table: what ties, what is better, what could be seen at all."""

from __future__ import annotations

import time

import numpy as np
import pytest

from harness.stats import paired, rank_groups, resolution

PIDS = np.repeat(np.arange(30), 28)[:836]


def rows(*means: float, noise: float = 0.1, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    difficulty = 0.2 * rng.standard_normal(30)[PIDS]
    return [m + difficulty + noise * rng.standard_normal(30)[PIDS] for m in means]


def test_rows_far_apart_have_a_rank_each_and_equal_ones_share_it() -> None:
    found = rank_groups(rows(0.2, 0.9, 0.5, 0.51), PIDS)
    assert found.intervals == ((4, 4), (1, 1), (2, 3), (2, 3))
    assert found.groups == (3, 1, 2, 2)


def test_the_rank_interval_counts_who_is_better_and_who_is_worse() -> None:
    found = rank_groups(rows(0.5, 0.53, 0.56, 0.59, 0.62, 0.65), PIDS)
    for n, (low, high) in enumerate(found.intervals):
        assert low == 1 + found.better[:, n].sum()
        assert high == 6 - found.better[n].sum()
        assert low <= high
    assert len(set(found.groups)) < 6


def test_it_says_what_paired_says() -> None:
    table = rows(0.5, 0.55, 0.6)
    table.append(np.stack([table[0], table[0] + 0.01]))
    found = rank_groups(table, PIDS, seed=4)
    for a in range(4):
        for b in range(4):
            if a == b:
                continue
            one = paired(table[a], table[b], PIDS, seed=4)
            assert found.better[a, b] == (one.interval[0] > 0)


def test_a_difference_of_the_resolution_is_found_about_half_the_time() -> None:
    found = resolution(rank_groups(rows(0.5, 0.52, 0.54, 0.55), PIDS))
    assert found is not None and found.pairs == 6
    rng = np.random.default_rng(1)
    for size, least, most in ((found.smallest, 0.3, 0.7), (found.detectable, 0.65, 0.95)):
        won = 0
        for trial in range(150):
            pair = rows(0.5 + size, 0.5, seed=int(rng.integers(1 << 30)))
            won += paired(*pair, PIDS, resamples=499, seed=trial).interval[0] > 0
        assert least < won / 150 < most


def test_one_row_or_copies_of_one_resolve_nothing() -> None:
    one = rows(0.5)[0]
    assert rank_groups([one], PIDS).intervals == ((1, 1),)
    assert resolution(rank_groups([one], PIDS)) is None
    copies = rank_groups([one, one], PIDS)
    assert copies.intervals == ((1, 2), (1, 2)) and copies.groups == (1, 1)
    assert resolution(copies) is None
    assert rank_groups([], PIDS).intervals == ()


def test_one_identity_ties_everything() -> None:
    found = rank_groups(rows(0.1, 0.9), np.zeros(836, dtype=int))
    assert found.groups == (1, 1) and found.intervals == ((1, 2), (1, 2))
    assert resolution(found) is None


def test_fifty_rows_take_half_a_second() -> None:
    table = rows(*np.linspace(0.4, 0.8, 50))
    rank_groups(table[:2], PIDS)
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        rank_groups(table, PIDS)
        best = min(best, time.process_time() - start)
    # Measured 0.4 s; processor time, since the machine may do other things too.
    assert best < 1.5


@pytest.mark.parametrize("seeds", [2, 3])
def test_seeds_that_vary_tie_what_single_runs_would_tell_apart(seeds: int) -> None:
    a, b = rows(0.5, 0.58, noise=0.01)
    assert rank_groups([a, b], PIDS).groups == (2, 1)
    jumps = 0.15 * np.linspace(-1, 1, seeds)[:, None]
    assert rank_groups([a + jumps, b + jumps], PIDS).groups == (1, 1)
