"""The identity bootstrap: against its plain twin, and whether it covers the truth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from harness.base.errors import ScoringError
from harness.stats import identity_interval
from harness.stats.bootstrap import drawn_weights
from harness.stats.reference import identity_interval_plain


def clustered(rng: np.random.Generator, identities: int = 30) -> tuple[Any, Any]:
    """Values with mean 0.5 whose identities differ far more than the queries of one do."""
    pids = np.repeat(np.arange(identities), rng.integers(5, 25, identities))
    values = 0.5 + 0.2 * rng.standard_normal(identities)[pids]
    return values + 0.05 * rng.standard_normal(len(pids)), pids


@pytest.mark.parametrize("seed", range(4))
def test_it_agrees_with_the_plain_twin(seed: int) -> None:
    values, pids = clustered(np.random.default_rng(seed), identities=8 + seed)
    values[::7] = np.nan
    draws = np.concatenate(list(drawn_weights(8 + seed, 500, seed=3))).astype(int)
    plain = identity_interval_plain(values.tolist(), pids.tolist(), draws.tolist(), level=0.9)
    fast = identity_interval(values, pids, resamples=500, level=0.9, seed=3)
    assert fast == pytest.approx(plain, abs=1e-12)
    assert fast[0] < np.nanmean(values) < fast[1]


@pytest.mark.parametrize(
    ("shape", "draw"),
    [
        ("normal", lambda rng: 0.5 + 0.2 * rng.standard_normal(30)),
        ("skewed", lambda rng: rng.beta(1, 2, 30) + 1 / 6),
        ("near the top", lambda rng: rng.beta(8, 0.8, 30) - 9 / 22),
    ],
)
def test_it_covers_the_truth_about_as_often_as_it_says(shape: str, draw: Any) -> None:
    # 1000 data sets of 30 identities whose true mean is 0.5.
    rng = np.random.default_rng(1)
    hits, naive_hits, trials = 0, 0, 1000
    for trial in range(trials):
        pids = np.repeat(np.arange(30), rng.integers(10, 25, 30))
        values = draw(rng)[pids] + 0.05 * rng.standard_normal(len(pids))
        low, high = identity_interval(values, pids, resamples=800, seed=trial)
        hits += low <= 0.5 <= high
        # Each query taken as an identity of its own: the standard error of independent values.
        error = 1.96 * values.std() / len(values) ** 0.5
        naive_hits += abs(values.mean() - 0.5) < error
    assert 0.92 <= hits / trials <= 0.98, shape
    assert naive_hits / trials < 0.7


def test_the_seed_decides() -> None:
    values, pids = clustered(np.random.default_rng(2))
    assert identity_interval(values, pids) == identity_interval(values, pids)
    assert identity_interval(values, pids) != identity_interval(values, pids, seed=1)


def test_names_and_order_of_identities_do_not_matter_much() -> None:
    values, pids = clustered(np.random.default_rng(3))
    order = np.random.default_rng(0).permutation(len(pids))
    shuffled = identity_interval(values[order], pids[order] * 1000 + 7)
    assert shuffled == pytest.approx(identity_interval(values, pids), abs=1e-12)


def test_a_lower_level_is_narrower() -> None:
    values, pids = clustered(np.random.default_rng(4))
    low, high = identity_interval(values, pids)
    inner_low, inner_high = identity_interval(values, pids, level=0.5)
    assert low < inner_low < inner_high < high


def test_invalid_queries_and_their_identities_are_left_out() -> None:
    values, pids = clustered(np.random.default_rng(5))
    more = np.append(values, [np.nan, np.nan])
    assert identity_interval(more, np.append(pids, [0, 999])) == identity_interval(values, pids)


def test_equal_values_give_a_point() -> None:
    assert identity_interval([0.25] * 6, [1, 1, 2, 2, 3, 3]) == pytest.approx((0.25, 0.25))


def test_one_identity_says_nothing_about_others() -> None:
    assert all(math.isnan(end) for end in identity_interval([0.2, 0.4, np.nan], [1, 1, 2]))
    assert all(math.isnan(end) for end in identity_interval_plain([0.2, 0.4], [1, 1], [[1]]))


@pytest.mark.parametrize(
    ("values", "pids", "seen"),
    [
        ([0.1, 0.2], [1], "values of shape (2,) with pids of shape (1,)"),
        ([[0.1]], [[1]], "values of shape (1, 1)"),
        ([np.nan], [1], "0 values that are not NaN"),
        ([], [], "0 values that are not NaN"),
        ([0.1, np.inf], [1, 2], "1 infinite"),
    ],
)
def test_bad_values_are_named(values: Any, pids: Any, seen: str) -> None:
    with pytest.raises(ScoringError) as caught:
        identity_interval(values, pids)
    assert seen in caught.value.seen
    assert caught.value.expected
    assert "quer" in caught.value.do


@pytest.mark.parametrize("setting", [{"resamples": 0}, {"level": 0.0}, {"level": 95}])
def test_bad_settings_are_named(setting: dict[str, Any]) -> None:
    (name, value), *_ = setting.items()
    with pytest.raises(ScoringError, match=f"{name} = {value}") as caught:
        identity_interval([0.1, 0.2], [1, 2], **setting)
    assert "level between 0 and 1" in caught.value.expected
    assert caught.value.do
