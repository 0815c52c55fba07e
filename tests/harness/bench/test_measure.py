"""Interleaving, spreads and ratios of pairs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.bench import Spread, interleaved, ratios


def test_tasks_take_turns_after_other_neighbours() -> None:
    order: list[str] = []

    def task(name: str) -> Callable[[], float]:
        def work() -> float:
            order.append(name)
            return float(len(order))

        return work

    found = interleaved(3, task("a"), task("b"), task("c"))
    assert "".join(order) == "abc" + "acb" + "cab"
    # Values at the same place are of the same round, whoever began it.
    assert found == [[1, 4, 8], [2, 6, 9], [3, 5, 7]]


def test_a_ratio_is_of_a_round_and_not_of_medians() -> None:
    # A slow second round hits both sides; each pair still says that one takes twice as long.
    ours, theirs = [1.0, 10.0, 2.0], [2.0, 20.0, 4.0]
    assert Spread.of(ratios(theirs, ours)) == (2, 2, 2)
    uneven = Spread.of(ratios([2.0, 30.0, 4.0], ours))
    assert uneven == (2, 2, 3)
    assert Spread.of([4.0, 1.0, 2.0]).scaled(1000) == (2000, 1000, 4000)


def test_lists_of_other_rounds_have_no_ratios() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0, 2.0], [1.0])
