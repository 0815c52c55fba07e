"""Frontiers over years and costs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leaderboard_app.progress.field import frame, frontier, pareto
from leaderboard_app.shared.rows import UNKNOWN
from tests.leaderboard_app.rows import claim, row

POINTS = st.lists(st.tuples(st.integers(2015, 2026), st.integers(0, 100)), max_size=30)


@given(POINTS)
def test_the_frontier_is_what_no_earlier_or_equal_year_reaches(
    points: list[tuple[int, int]],
) -> None:
    years, values = [y for y, _ in points], [float(v) for _, v in points]
    kept = frontier(years, values)
    best = [values[i] for i in kept]
    assert best == sorted(set(best))
    assert [years[i] for i in kept] == sorted({years[i] for i in kept})
    for year, value in points:
        reached = [values[i] for i in kept if years[i] <= year]
        assert max(reached) >= value


def test_pareto_keeps_the_cheap_and_the_good() -> None:
    assert pareto([10, 20, 30, 30], [50.0, 40.0, 60.0, 70.0]) == [0, 3]


def test_a_frame_leaves_out_rows_without_the_number_and_names_what_is_unknown() -> None:
    rows = [row("a", 50.0, parameters=2_000_000), claim("b", 60.0, year=2022), claim("c", None)]
    found = frame(rows, "mAP")
    assert list(found["method"]) == ["a", "b"]
    assert list(found["kind"]) == ["run here", "claimed"]
    assert found["parameters"][0] == 2.0
    assert list(found["backbone"]) == [UNKNOWN, UNKNOWN]


def test_a_copy_is_doubtful_only_where_the_own_paper_says_something_else() -> None:
    rows = [
        claim("own", 46.0, conflict="c1"),
        claim("copy", 49.0, conflict="c1", tags=("second-hand",)),
        claim("copies", 38.0, conflict="c2", tags=("second-hand",)),
        claim("alone", 30.0, tags=("second-hand",)),
    ]
    assert list(frame(rows, "mAP")["doubtful"]) == [False, True, False, False]
