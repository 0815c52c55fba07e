"""Nothing is hidden in silence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.trust import Trust
from leaderboard_app.board.filters import Filters, apply, sentence
from leaderboard_app.shared.rows import UNKNOWN
from tests.leaderboard_app.rows import claim, row

ROWS = (
    row("a", tags=("pretraining:none",), year=2022, backbone="ResNet-50", sweeps=("grid",)),
    row("b", trust=Trust.RESCORED, selection="test", tags=("test-selection",)),
    claim("c", year=2024, pretraining="clip", tags=("text-at-test", "test-camera")),
    claim("d", year=2020, backbone="ResNet-50"),
)


def keys(**asked: Any) -> list[str]:
    return [r.key for r in apply(ROWS, Filters(**asked)).rows]


def test_no_filter_hides_nothing() -> None:
    outcome = apply(ROWS, Filters())
    assert (outcome.rows, outcome.hidden, outcome.by) == (ROWS, 0, {})
    assert sentence(outcome) == ""


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ({"kinds": ("claimed",)}, ["c", "d"]),
        ({"trust": ("rescored",)}, ["b"]),
        ({"selection": ("last",)}, ["a"]),
        ({"selection": (UNKNOWN,)}, ["c", "d"]),
        ({"pretraining": ("clip", UNKNOWN)}, ["c", "d"]),
        ({"backbone": ("ResNet-50",)}, ["a", "d"]),
        ({"tags": ("text-at-test", "test-selection")}, ["b", "c"]),
        ({"without": ("test-camera", "test-selection")}, ["a", "d"]),
        ({"sweeps": ("grid", "other")}, ["a"]),
        ({"since": 2021}, ["a", "c"]),
        ({"until": 2022}, ["a", "d"]),
        ({"presets": ("clean",)}, ["a", "d"]),
        ({"presets": ("resnet", "runs")}, ["a"]),
        ({"search": "resnet d"}, ["d"]),
        ({"since": 2021, "backbone": ("ResNet-50",)}, ["a"]),
    ],
)
def test_each_filter(asked: dict[str, Any], left: list[str]) -> None:
    assert keys(**asked) == left


def test_what_is_hidden_is_counted_by_filter() -> None:
    outcome = apply(ROWS, Filters(kinds=("run here",), trust=("rescored",)))
    assert sentence(outcome) == "3 rows hidden by: kind (2), trust (3)."
    assert sentence(apply(ROWS[:1], Filters(kinds=("claimed",)))) == "1 row hidden by: kind (1)."


@given(
    st.builds(
        Filters,
        presets=st.sampled_from([(), ("clean",), ("vit", "runs")]),
        search=st.sampled_from(["", "resnet", "none of them"]),
        kinds=st.sampled_from([(), ("claimed",), ("run here",)]),
        tags=st.sampled_from([(), ("text-at-test",), ("no such tag",)]),
        since=st.sampled_from([None, 2021, 2030]),
    )
)
def test_shown_and_hidden_are_all_rows(filters: Filters) -> None:
    outcome = apply(ROWS, filters)
    assert len(outcome.rows) + outcome.hidden == len(ROWS)
    assert bool(outcome.by) == bool(outcome.hidden)
