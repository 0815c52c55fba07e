"""The image pool against a plain list, and against what may never happen."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.translate.pool import ImagePool


def _image(value: int) -> torch.Tensor:
    return torch.full((1, 3, 2, 1), float(value))


def _plain(capacity: int, count: int, seed: int) -> tuple[list[int], list[int]]:
    """The same story with numbers in a list: what came out, what is kept."""
    draws, kept, out = np.random.default_rng(seed), [], []
    for value in range(count):
        if len(kept) < capacity:
            kept.append(value)
            out.append(value)
        elif capacity and draws.random() >= 0.5:
            place = int(draws.integers(capacity))
            out.append(kept[place])
            kept[place] = value
        else:
            out.append(value)
    return out, kept


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 6), st.integers(0, 30), st.integers(0, 2**32))
def test_it_does_what_a_list_does(capacity: int, count: int, seed: int) -> None:
    pool, draws = ImagePool(capacity, (2, 1)), np.random.default_rng(seed)
    out = [int(pool.exchange(_image(v), draws)[0, 0, 0, 0]) for v in range(count)]
    kept = [int(v) for v in pool.images[: pool.count, 0, 0, 0]]
    assert (out, kept) == _plain(capacity, count, seed)
    # Past the filling, each image is either inside or came out once: none is lost or doubled.
    assert sorted(out[capacity:] + kept) == list(range(count))


def test_half_of_what_comes_out_is_old() -> None:
    pool, draws = ImagePool(50, (2, 1)), np.random.default_rng(0)
    out = [int(pool.exchange(_image(v), draws)[0, 0, 0, 0]) for v in range(1050)]
    fresh = sum(v == i for i, v in enumerate(out) if i >= 50)
    assert 440 < fresh < 560
    ages = [i - v for i, v in enumerate(out) if i >= 50 and v != i]
    assert 60 < np.mean(ages) < 140  # 50 places, each replaced every hundredth step


def test_what_comes_out_does_not_change_when_its_place_is_taken() -> None:
    pool, draws = ImagePool(1, (2, 1)), np.random.default_rng(0)
    pool.exchange(_image(0), draws)
    for value in range(1, 20):
        given_back = pool.exchange(_image(value), draws)
        before = given_back.clone()
        pool.exchange(_image(100 + value), draws)
        assert torch.equal(given_back, before)


def test_it_is_part_of_the_state() -> None:
    pool, draws = ImagePool(3, (2, 1)), np.random.default_rng(0)
    for value in range(2):
        pool.exchange(_image(value + 5), draws)
    other = ImagePool(3, (2, 1))
    other.load_state_dict(pool.state_dict())
    assert other.count == 2 and torch.equal(other.images, pool.images)
