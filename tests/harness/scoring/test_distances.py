"""Distances, against a loop and the authors' numbers; identical descriptors must tie."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from threadpoolctl import threadpool_limits

from harness.base.errors import FeaturesError, UnknownNameError
from harness.scoring import distances
from harness.scoring.distances import TILE, Kind, distance_matrix, squared_euclidean

GOLDEN = Path(__file__).parents[3].parent / "shared/golden/ranking.npz"
KINDS = get_args(Kind)
MODES = [(kind, unit) for kind in KINDS for unit in (False, True)]


def plain(query: Any, gallery: Any, kind: Kind, normalise: bool) -> Any:
    def unit(x: Any) -> Any:
        length = sum(v * v for v in x) ** 0.5
        return [v / length for v in x] if length else x

    out = np.empty((len(query), len(gallery)))
    for i, x in enumerate(np.asarray(query, dtype=np.float64).tolist()):
        for j, y in enumerate(np.asarray(gallery, dtype=np.float64).tolist()):
            a, b = (unit(x), unit(y)) if normalise or kind == "cosine" else (x, y)
            if kind == "cosine":
                out[i, j] = 1 - sum(v * w for v, w in zip(a, b, strict=True))
            else:
                out[i, j] = sum((v - w) ** 2 for v, w in zip(a, b, strict=True))
    return out


@st.composite
def features(draw: st.DrawFn) -> tuple[Any, Any]:
    width = draw(st.integers(1, 5))
    value = st.floats(-100, 100, width=32)
    sizes = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    query, gallery = (draw(hnp.arrays(np.float32, (n, width), elements=value)) for n in sizes)
    return query, gallery


@given(features(), st.sampled_from(MODES))
@settings(deadline=None)
def test_fast_equals_plain(both: tuple[Any, Any], mode: tuple[Kind, bool]) -> None:
    got = distance_matrix(*both, *mode)
    assert got.dtype == np.float32
    assert (got >= 0).all()
    np.testing.assert_allclose(got, plain(*both, *mode), rtol=1e-6, atol=1e-9)


def test_squared_euclidean_is_the_matrix_of_that_kind() -> None:
    rng = np.random.default_rng(0)
    query, gallery = rng.standard_normal((5, 8)), rng.standard_normal((7, 8))
    want = distance_matrix(query, gallery, "squared_euclidean", normalise=False)
    np.testing.assert_array_equal(squared_euclidean(query, gallery), want)


@pytest.mark.parametrize(("kind", "normalise"), MODES)
@pytest.mark.parametrize(("width", "copies", "others"), [(33, 837, 13), (257, 500, 836)])
@pytest.mark.parametrize("offset", [0, 1, 50])
def test_identical_descriptors_tie(
    kind: Kind, normalise: bool, width: int, copies: int, others: int, offset: int
) -> None:
    rng = np.random.default_rng(offset)
    base, rest = (offset + rng.standard_normal((n, width)) for n in (2, others))
    which = rng.integers(0, 2, copies)
    query, gallery = np.concatenate([base, rest]).astype(np.float32), base.astype(np.float32)[which]
    got = distance_matrix(query, gallery, kind, normalise)
    for one in range(2):
        same = got[:, which == one]
        np.testing.assert_array_equal(same, np.broadcast_to(same[:, :1], same.shape))


@pytest.mark.parametrize(("kind", "normalise"), MODES)
def test_tiles_and_threads_change_no_digit(
    kind: Kind, normalise: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    query, gallery = (rng.standard_normal((n, 300)).astype(np.float32) for n in (333, 5000))
    with threadpool_limits(1):
        alone = distance_matrix(query, gallery, kind, normalise)
    # Parts of the queries that begin at a multiple of TILE, on as many threads as there are.
    parts = [distance_matrix(query[i : i + TILE], gallery, kind, normalise) for i in (0, 64, 320)]
    for start, part in zip((0, 64, 320), parts, strict=True):
        np.testing.assert_array_equal(part, alone[start : start + TILE])
    np.testing.assert_array_equal(distance_matrix(query, gallery, kind, normalise), alone)
    np.testing.assert_allclose(
        alone[::99, ::99], plain(query[::99], gallery[::99], kind, normalise), rtol=1e-6
    )


@given(
    hnp.arrays(
        np.int8, st.tuples(st.integers(1, 9), st.integers(0, 3)), elements=st.integers(-1, 1)
    )
)
@settings(deadline=None)
@pytest.mark.parametrize("collide", [False, True])
def test_distinct_rows_are_told_apart_even_if_their_codes_agree(collide: bool, rows: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if collide:
            patch.setattr(distances, "_codes", lambda rows: np.zeros(len(rows), np.uint64))
        firsts, copy_of = distances.distinct(rows * np.float32(-0.5))
    seen: dict[tuple[int, ...], int] = {}
    want = [seen.setdefault(tuple(row), i) for i, row in enumerate(rows.tolist())]
    assert firsts.tolist() == sorted(set(want))
    got = range(len(rows)) if copy_of is None else copy_of
    assert [firsts[i] for i in got] == want


def test_both_zeros_are_one_descriptor() -> None:
    got = squared_euclidean([[1.0, 2.0]], [[0.0, 3.0], [-0.0, 3.0]])
    assert got.tolist() == [[2.0, 2.0]]


def test_a_descriptor_of_zeros_has_no_direction() -> None:
    zeros, some = [[0.0, 0.0]], [[3.0, 4.0], [0.0, 0.0]]
    assert distance_matrix(zeros, some, "cosine", normalise=True).tolist() == [[1.0, 1.0]]
    assert distance_matrix(zeros, some, "squared_euclidean", normalise=True).tolist() == [[1.0, 0]]


def test_no_queries_give_an_empty_matrix() -> None:
    assert squared_euclidean(np.zeros((0, 3)), np.zeros((2, 3))).shape == (0, 2)
    assert squared_euclidean(np.zeros((2, 3)), np.zeros((0, 3))).shape == (2, 0)


def test_golden_distances() -> None:
    if not GOLDEN.is_file():
        pytest.skip(f"no golden numbers at {GOLDEN}")
    data = np.load(GOLDEN)
    left, right = data["dist.a"], data["dist.b"]
    np.testing.assert_allclose(
        squared_euclidean(left, right), data["dist.euclidean"], rtol=1e-6, atol=1e-9
    )
    np.testing.assert_allclose(
        distance_matrix(left, right, "cosine", normalise=False),
        data["dist.cosine"],
        rtol=1e-6,
        atol=1e-7,
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1e200])
@pytest.mark.parametrize("side", ["query", "gallery"])
def test_features_that_are_not_finite_are_placed(side: str, value: float) -> None:
    sides = {"query": np.zeros((4, 2)), "gallery": np.zeros((4, 2))}
    sides[side][2:, 1] = value
    with pytest.raises(FeaturesError) as caught:
        squared_euclidean(sides["query"], sides["gallery"])
    assert caught.value.seen == f"2 of 4 {side} descriptors have no finite length, first in row 2"
    assert caught.value.expected.startswith("finite numbers")
    assert "diverged" in caught.value.do


def test_features_that_do_not_fit_are_named() -> None:
    with pytest.raises(FeaturesError, match="width 3, gallery of width 2") as caught:
        squared_euclidean(np.zeros((1, 3)), np.zeros((1, 2)))
    assert "same width" in caught.value.expected
    assert "same weights" in caught.value.do
    with pytest.raises(FeaturesError, match=r"query descriptors of shape \(3,\)") as caught:
        squared_euclidean(np.zeros(3), np.zeros((1, 3)))
    assert "one row per sample" in caught.value.expected
    with pytest.raises(FeaturesError, match="type <U1"):
        squared_euclidean(np.zeros((1, 1)), [["a"]])


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown distance 'cosin'") as caught:
        distance_matrix([[1.0]], [[1.0]], "cosin", normalise=False)  # type: ignore[arg-type]
    assert "did you mean 'cosine'" in caught.value.do
