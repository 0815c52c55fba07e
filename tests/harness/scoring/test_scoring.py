"""The scorer, against an example by hand, its plain twin and golden numbers."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from harness.base.errors import ScoringError, UnknownNameError
from harness.scoring import Ranking, Score, blocks, rank, rank_lists, score
from harness.scoring.labels import Labels, match_counts
from harness.scoring.reference import ranking_plain, score_plain
from harness.spec.filters import Filter

GOLDEN = Path(__file__).parents[3].parent / "shared/golden/ranking.npz"
FILTERS = get_args(Filter)
DTYPES = [np.float16, np.float32, np.float64]


@st.composite
def problems(draw: st.DrawFn) -> tuple[Any, Labels, Labels]:
    """A small ranking problem: heavy ties, infinities, missing matches, short galleries."""
    q, g = draw(st.integers(1, 6)), draw(st.integers(1, 14))
    value = st.sampled_from([0.0, -0.0, 1.0, 2.0, 3.5, -1.0, np.inf])
    distances = draw(hnp.arrays(draw(st.sampled_from(DTYPES)), (q, g), elements=value))
    columns = [
        draw(hnp.arrays(np.int64, size, elements=st.integers(0, top)))
        for size in (q, g)
        for top in (3, 2, 2)
    ]
    return distances, Labels(*columns[:3]), Labels(*columns[3:])


def assert_same(got: Score, want: Score) -> None:
    assert got.mAP == pytest.approx(want.mAP, abs=1e-12)
    assert got.mINP == pytest.approx(want.mINP, abs=1e-12)
    for field in ("cmc", "per_query_ap", "per_query_inp"):
        np.testing.assert_allclose(getattr(got, field), getattr(want, field), atol=1e-12)
    for field in ("first_rank", "positives", "candidates", "valid", "tied"):
        np.testing.assert_array_equal(getattr(got, field), getattr(want, field))
    assert got.unmatched == want.unmatched


def golden() -> Any:
    if not GOLDEN.is_file():
        pytest.skip(f"no golden numbers at {GOLDEN}")
    return np.load(GOLDEN)


def test_an_example_by_hand() -> None:
    query = Labels([1, 2, 9], [0, 0, 0])
    gallery = Labels([1, 2, 1, 3, 1], [0, 1, 1, 1, 2])
    distances = [
        [0.0, 0.1, 0.2, 0.3, 0.4],  # entry 0 is removed; matches 2 and 4 at ranks 2 and 4
        [0.5, 0.1, 0.2, 0.3, 0.4],  # match 1 at rank 1
        [0.1, 0.2, 0.3, 0.4, 0.5],  # nobody has pid 9
    ]
    s = score(distances, query, gallery)
    assert s.per_query_ap[:2].tolist() == [(1 / 2 + 2 / 4) / 2, 1.0]
    assert s.per_query_inp[:2].tolist() == [2 / 4, 1.0]
    assert np.isnan(s.per_query_ap[2])
    assert np.isnan(s.per_query_inp[2])
    assert s.mAP == 0.75
    assert s.mINP == 0.75
    assert s.cmc.tolist() == [0.5, 1.0, 1.0, 1.0, 1.0]
    assert s.first_rank.tolist() == [2, 1, 0]
    assert s.positives.tolist() == [2, 1, 0]
    assert s.candidates.tolist() == [4, 5, 5]
    assert s.valid.tolist() == [True, True, False]
    assert s.unmatched == 1
    assert [s.rank(k) for k in (1, 2, 10)] == [0.5, 1.0, 1.0]


@pytest.mark.parametrize(("place", "ap"), [(0, 1.0), (1, 1 / 2), (3, 1 / 4)])
def test_ties_go_by_gallery_index(place: int, ap: float) -> None:
    pids = [2, 2, 2, 2]
    pids[place] = 1
    s = score(np.zeros((1, 4)), Labels([1], [0]), Labels(pids, [1] * 4))
    assert s.mAP == ap


def test_a_match_infinitely_far_ranks_behind_every_kept_entry_only() -> None:
    gallery = Labels([1, 2, 1, 2], [0, 1, 1, 1])
    s = score([[np.inf, 1.0, np.inf, np.inf]], Labels([1], [0]), gallery)
    assert s.first_rank.tolist() == [2]


@given(problems(), st.sampled_from(FILTERS))
@settings(max_examples=300, deadline=None)
def test_fast_equals_plain(problem: tuple[Any, Labels, Labels], filter: Filter) -> None:
    distances, query, gallery = problem
    if not match_counts(query, gallery, filter).positives.any():
        with pytest.raises(ScoringError, match="has a match"):
            score(distances, query, gallery, filter)
        return
    got, want = (f(distances, query, gallery, filter) for f in (score, score_plain))
    assert_same(got, want)


@pytest.mark.parametrize("elements", [1, 200, 1000])
def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch, elements: int) -> None:
    query, gallery, distances = _many_ties()
    whole = rank(distances, query, gallery, "same_pid_same_cam", 12)
    monkeypatch.setattr(blocks, "BLOCK_ELEMENTS", elements)
    again = rank(distances, query, gallery, "same_pid_same_cam", 12)
    assert_same(again.score, whole.score)
    np.testing.assert_array_equal(again.rank_lists, whole.rank_lists)
    assert_same(whole.score, score_plain(distances.astype(np.float64), query, gallery))


@given(problems(), st.sampled_from(FILTERS), st.integers(1, 20))
@settings(deadline=None)
def test_torch_ranks_as_numpy_does(
    problem: tuple[Any, Labels, Labels], filter: Filter, k: int
) -> None:
    distances, query, gallery = problem
    if not match_counts(query, gallery, filter).positives.any():
        return
    on_torch, on_numpy = (
        rank(distances, query, gallery, filter, k, device=device) for device in ("cpu", None)
    )
    _assert_equal(on_torch, on_numpy)


@pytest.mark.gpu
def test_a_gpu_ranks_as_numpy_does() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no GPU that torch can use")
    query, gallery, distances = _many_ties()
    values = np.where(distances == 3, np.inf, distances - 1.0)
    values[distances == 2] = -0.0
    _assert_equal(
        *(rank(values, query, gallery, "same_cam", 60, device=device) for device in ("cuda", None))
    )


def _many_ties() -> tuple[Labels, Labels, Any]:
    rng = np.random.default_rng(0)
    query, gallery = (Labels(rng.integers(0, 9, n), rng.integers(0, 3, n)) for n in (40, 70))
    return query, gallery, rng.integers(0, 30, (40, 70))


def _assert_equal(got: Ranking, want: Ranking) -> None:
    for field in fields(Score):
        np.testing.assert_array_equal(
            getattr(got.score, field.name), getattr(want.score, field.name), field.name
        )
    np.testing.assert_array_equal(got.rank_lists, want.rank_lists)


@given(problems(), st.sampled_from(FILTERS), st.integers(1, 20))
@settings(deadline=None)
def test_rank_lists_are_the_scored_ranking(
    problem: tuple[Any, Labels, Labels], filter: Filter, k: int
) -> None:
    distances, query, gallery = problem
    lists = rank_lists(distances, query, gallery, filter, k)
    assert lists.dtype == np.int32
    for i, row in enumerate(lists.tolist()):
        want = ranking_plain(distances[i], query, i, gallery, filter)[:k]
        assert row == want + [-1] * (k - len(want))


@pytest.mark.parametrize("k", [0, -1])
def test_a_rank_below_one_is_refused(k: int) -> None:
    one, other = Labels([1], [0]), Labels([1], [1])
    with pytest.raises(ScoringError, match=f"k = {k}") as caught:
        score([[0.0]], one, other).rank(k)
    assert "at least 1" in caught.value.expected
    with pytest.raises(ScoringError, match=f"k = {k}"):
        rank_lists([[0.0]], one, other, "none", k)


def test_nan_is_counted_and_placed() -> None:
    distances = np.zeros((3, 2))
    distances[1] = np.nan
    distances[2, 0] = np.nan
    with pytest.raises(ScoringError) as caught:
        score(distances, Labels([1] * 3, [0] * 3), Labels([1, 2], [1, 1]))
    assert caught.value.seen == "3 NaN distances in 2 queries, first in query 1"
    assert caught.value.expected == "distances without NaN"
    assert "features" in caught.value.do


@pytest.mark.parametrize(
    ("distances", "seen"),
    [
        (np.zeros((2, 1)), "shape (2, 1)"),
        (np.zeros(2), "shape (2,)"),
        (np.zeros((1, 2), dtype=bool), "type bool"),
        (np.zeros((1, 2), dtype=complex), "type complex128"),
    ],
)
def test_a_matrix_that_does_not_fit_is_refused(distances: Any, seen: str) -> None:
    with pytest.raises(ScoringError) as caught:
        score(distances, Labels([1], [0]), Labels([1, 2], [1, 1]))
    assert seen in caught.value.seen
    assert "(1, 2): queries x gallery" in caught.value.expected
    assert "one row of distances per query" in caught.value.do


def test_no_samples_and_unknown_filters_are_refused() -> None:
    one, none = Labels([1], [0]), Labels([], [])
    with pytest.raises(ScoringError, match="1 queries and 0 gallery samples"):
        score(np.zeros((1, 0)), one, none)
    with pytest.raises(UnknownNameError, match="unknown filter 'nothing'"):
        score([[0.0]], one, one, "nothing")  # type: ignore[arg-type]


def test_golden_rankings() -> None:
    data = golden()
    for case in data["cases"]:
        query, gallery = (
            Labels(data[f"{case}.{side}_pids"], data[f"{case}.{side}_camids"]) for side in "qg"
        )
        s = score(data[f"{case}.distmat"], query, gallery)
        cmc = data[f"{case}.cmc"]
        assert s.mAP == pytest.approx(data[f"{case}.mAP"].item(), abs=1e-12), case
        np.testing.assert_allclose(s.cmc[: len(cmc)], cmc, atol=1e-6, err_msg=case)
        assert s.valid.sum() == data[f"{case}.num_valid_queries"], case


@pytest.mark.parametrize("kind", ["euclidean", "cosine"])
def test_golden_ranking_of_a_gallery_against_itself(kind: str) -> None:
    data = golden()
    everyone = Labels(data["selfgallery.pids"], data["selfgallery.camids"])
    s = score(data[f"selfgallery.{kind}.distmat"], everyone, everyone)
    cmc = data[f"selfgallery.{kind}.cmc"]
    assert s.mAP == pytest.approx(data[f"selfgallery.{kind}.mAP"].item(), abs=1e-12)
    np.testing.assert_allclose(s.cmc[: len(cmc)], cmc, atol=1e-6)
