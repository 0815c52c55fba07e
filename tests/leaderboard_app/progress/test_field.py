"""Frontiers over years and costs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leaderboard_app.progress.field import LABEL_PIXELS, frame, frontier, named
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


def test_what_nothing_cheaper_beats_is_kept() -> None:
    assert frontier([10, 20, 30, 30], [50.0, 40.0, 60.0, 70.0]) == [0, 3]


def test_a_frame_leaves_out_rows_without_the_number_and_names_what_is_unknown() -> None:
    rows = [row("a", 50.0, parameters=2_000_000), claim("b", 60.0, year=2022), claim("c", None)]
    found = frame(rows, "mAP")
    assert list(found["method"]) == ["a", "b"]
    assert list(found["kind"]) == ["run here", "claimed"]
    assert found["parameters"][0] == 2.0
    assert list(found["backbone"]) == [UNKNOWN, UNKNOWN]


def test_a_point_is_called_by_its_method_alone() -> None:
    rows = [row("a", 50.0, family="IEEE", title="IEEE · 4 epochs"), row("b", 40.0, title="own")]
    assert list(frame(rows, "mAP")["name"]) == ["IEEE", "own"]


def test_a_copy_is_doubtful_only_where_the_own_paper_says_something_else() -> None:
    rows = [
        claim("own", 46.0, conflict="c1"),
        claim("copy", 49.0, conflict="c1", tags=("second-hand",)),
        claim("copies", 38.0, conflict="c2", tags=("second-hand",)),
        claim("alone", 30.0, tags=("second-hand",)),
    ]
    assert list(frame(rows, "mAP")["doubtful"]) == [False, True, False, False]


def test_what_used_the_test_set_or_is_not_the_method_itself_is_not_clean() -> None:
    rows = [
        claim("own", 40.0),
        claim("picked", 50.0, tags=("test-selection",)),
        claim("text", 50.0, tags=("text-at-test",)),
        claim("copy", 50.0, tags=("second-hand",)),
        claim("ablation", 50.0),
        row("run", 30.0),
        row("run-picked", 60.0, selection="test"),
    ]
    found = frame(rows, "mAP", variants={"ablation"})
    assert list(found["method"][found["clean"]]) == ["own", "copy", "run"]
    assert list(found["method"][found["second_hand"]]) == ["copy"]


@given(POINTS)
def test_names_of_one_place_do_not_cover_each_other(points: list[tuple[int, int]]) -> None:
    years, values = [float(y) for y, _ in points], [float(v) for _, v in points]
    kept = named(years, values, set(), 500.0)
    scale = 500.0 / max(max(values, default=1) - min(values, default=0), 1e-9)
    for i in kept:
        for j in kept:
            if i != j and years[i] == years[j]:
                assert abs(values[i] - values[j]) * scale >= LABEL_PIXELS
    # The best of each year has its name.
    assert {years[i] for i in kept} == set(years)
