"""Labels, filters and what each query can find."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.base.errors import ScoringError, UnknownNameError
from harness.scoring.labels import Labels, match_counts, removed, require_match
from harness.spec.filters import Filter

FILTERS = get_args(Filter)


@st.composite
def labels(draw: st.DrawFn, size: int) -> Labels:
    column: Any = st.lists(st.integers(-1, 2), min_size=size, max_size=size)
    return Labels(draw(column), draw(column), draw(column))


@st.composite
def sides(draw: st.DrawFn) -> tuple[Labels, Labels]:
    q, g = draw(st.integers(1, 6)), draw(st.integers(1, 12))
    return draw(labels(q)), draw(labels(g))


def test_lists_become_read_only_int64_copies() -> None:
    pids = np.array([3, 4], dtype=np.int16)
    made = Labels(pids, [0, 1])
    pids[0] = 9
    assert len(made) == 2
    assert made.pids.tolist() == [3, 4]
    assert made.pids.dtype == np.int64
    assert made.scenes is None
    with pytest.raises(ValueError, match="read-only"):
        made.pids[0] = 1


def test_take_keeps_order_and_fields() -> None:
    part = Labels([1, 2, 3], None, [7, 8, 9]).take(np.array([2, 0]))
    assert part.pids.tolist() == [3, 1]
    assert part.camids is None
    assert part.scenes is not None
    assert part.scenes.tolist() == [9, 7]


@pytest.mark.parametrize(
    ("fields", "seen"),
    [
        (([1, 2], [0]), "2 pids but 1 camids"),
        (([1, 2], [0, 0], [5]), "2 pids but 1 scenes"),
        (([1.5], [0]), "pids of shape (1,) and type float64"),
        (([[1]], [0]), "pids of shape (1, 1)"),
        (([1], ["a"]), "camids of shape (1,) and type <U1"),
        (([True], [0]), "pids of shape (1,) and type bool"),
    ],
)
def test_bad_labels_are_named(fields: tuple[Any, ...], seen: str) -> None:
    with pytest.raises(ScoringError) as caught:
        Labels(*fields)
    assert seen in caught.value.seen
    assert caught.value.expected
    assert caught.value.do


@pytest.mark.parametrize(
    ("filter", "gone"),
    [
        ("same_pid_same_cam", [True, False, False, False]),
        ("same_pid_same_view", [True, False, False, False]),
        ("same_pid_same_scene", [False, True, False, False]),
        ("none", [False, False, False, False]),
    ],
)
def test_filters_remove_only_the_same_identity(filter: Filter, gone: list[bool]) -> None:
    query = Labels([1], [0], [5])
    gallery = Labels([1, 1, 2, 2], [0, 1, 0, 1], [6, 5, 5, 5])
    assert removed(query, gallery, filter).tolist() == [gone]


@given(sides(), st.sampled_from(FILTERS))
@settings(deadline=None)
def test_counts_are_those_of_the_masks(both: tuple[Labels, Labels], filter: Filter) -> None:
    query, gallery = both
    counts = match_counts(query, gallery, filter)
    keep = ~removed(query, gallery, filter)
    same = query.pids[:, None] == gallery.pids
    assert counts.same_pid.tolist() == same.sum(axis=1).tolist()
    assert counts.positives.tolist() == (same & keep).sum(axis=1).tolist()
    assert counts.candidates.tolist() == keep.sum(axis=1).tolist()


def test_counts_of_empty_sides() -> None:
    empty, some = Labels([], []), Labels([1, 2], [0, 0])
    assert match_counts(empty, empty, "same_pid_same_cam").positives.shape == (0,)
    assert match_counts(empty, some, "none").candidates.shape == (0,)
    assert match_counts(some, empty, "same_pid_same_cam").candidates.tolist() == [0, 0]


def test_unknown_filter_names_the_nearest() -> None:
    one = Labels([1], [0])
    with pytest.raises(UnknownNameError) as caught:
        removed(one, one, "same_pid_same_cams")  # type: ignore[arg-type]
    assert "unknown filter 'same_pid_same_cams'" in caught.value.seen
    assert "same_pid_same_cam" in caught.value.do


@pytest.mark.parametrize(
    ("filter", "field"), [("same_pid_same_scene", "scenes"), ("same_pid_same_view", "camids")]
)
def test_a_filter_without_its_labels_is_refused(filter: Filter, field: str) -> None:
    bare, full = Labels([1], None), Labels([1], [0], [0])
    for query, gallery, side in [(bare, full, "query"), (full, bare, "gallery")]:
        with pytest.raises(ScoringError) as caught:
            match_counts(query, gallery, filter)
        assert caught.value.seen == f"filter {filter!r} but {side} labels without {field}"
        assert field in caught.value.expected
        assert field in caught.value.do


def test_no_match_is_explained_by_cause() -> None:
    query = Labels([7, 1, 8], [0, 3, 0])
    gallery = Labels([1, 1, 2], [3, 3, 0])
    with pytest.raises(ScoringError) as caught:
        require_match(query, gallery, "same_pid_same_cam")
    seen, do = caught.value.seen, caught.value.do
    assert "none of 3 queries has a match" in seen
    assert "2 have no gallery entry of their pid (such as query 0, pid 7)" in seen
    assert "1 lost every match to filter 'same_pid_same_cam'" in seen
    assert "(such as query 1, pid 1, camids 3)" in seen
    assert "gallery entry of its pid" in caught.value.expected
    assert "pids parsed alike" in do
    assert "camids were parsed" in do


def test_no_match_without_a_filter_names_one_cause_only() -> None:
    with pytest.raises(ScoringError) as caught:
        require_match(Labels([7], None), Labels([1], None), "none")
    assert "lost every match" not in caught.value.seen
    assert "filter" not in caught.value.do


def test_an_empty_side_is_refused() -> None:
    with pytest.raises(ScoringError, match="0 queries and 1 gallery samples") as caught:
        require_match(Labels([], []), Labels([1], [0]), "none")
    assert "at least one of each" in caught.value.expected
    assert "split is not empty" in caught.value.do
