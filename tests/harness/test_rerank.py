"""k-reciprocal re-ranking, against its plain twin and the authors' numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import rerank
from harness.distances import squared_euclidean
from harness.errors import ScoringError
from harness.rerank import k_reciprocal
from harness.rerank_reference import k_reciprocal_plain

GOLDEN = Path(__file__).parents[2].parent / "shared/golden/rerank.npz"
CASES = ["case0_30+90", "case1_80+200"]
SETTINGS = [(20, 6, 0.3), (10, 3, 0.5), (20, 1, 0.3)]


def golden() -> Any:
    if not GOLDEN.is_file():
        pytest.skip(f"no golden numbers at {GOLDEN}")
    return np.load(GOLDEN)


def blocks_of(features: Any, queries: int) -> tuple[Any, Any, Any]:
    query, gallery = features[:queries], features[queries:]
    return (
        squared_euclidean(query, gallery),
        squared_euclidean(query, query),
        squared_euclidean(gallery, gallery),
    )


def clusters(seed: int, samples: int, grid: bool = False) -> Any:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((5, 6)) * 2
    points = centres[rng.integers(0, 5, samples)] + rng.standard_normal((samples, 6)) * 0.5
    return np.round(points) if grid else points


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("k1", "k2", "lambda_value"), SETTINGS)
def test_golden(case: str, k1: int, k2: int, lambda_value: float) -> None:
    data = golden()
    across, within, gallery = (data[f"{case}.{part}"] for part in ("q_g", "q_q", "g_g"))
    got = k_reciprocal(across, within, gallery, k1, k2, lambda_value)
    assert got.dtype == np.float32
    want = data[f"{case}.k1={k1},k2={k2},lambda={lambda_value}.final"]
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_golden_of_plain_distances(case: str) -> None:
    data = golden()
    blocks = [np.sqrt(data[f"{case}.{part}"].clip(0)) for part in ("q_g", "q_q", "g_g")]
    want = data[f"{case}.sqrt_input.k1=20,k2=6,lambda=0.3.final"]
    np.testing.assert_allclose(k_reciprocal(*blocks), want, rtol=0, atol=1e-5)


def test_golden_of_the_plain_twin() -> None:
    data = golden()
    blocks = [data[f"{CASES[0]}.{part}"] for part in ("q_g", "q_q", "g_g")]
    want = data[f"{CASES[0]}.k1=20,k2=6,lambda=0.3.final"]
    np.testing.assert_allclose(k_reciprocal_plain(*blocks), want, rtol=0, atol=1e-5)


@given(
    seed=st.integers(0, 999),
    samples=st.integers(2, 40),
    share=st.floats(0.1, 0.9),
    k1=st.integers(1, 50),
    k2=st.integers(1, 45),
    lambda_value=st.sampled_from([0.0, 0.3, 1.0]),
    grid=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_fast_equals_plain(
    seed: int, samples: int, share: float, k1: int, k2: int, lambda_value: float, grid: bool
) -> None:
    queries = min(max(1, int(share * samples)), samples - 1)
    blocks = blocks_of(clusters(seed, samples, grid), queries)
    got, want = (f(*blocks, k1, k2, lambda_value) for f in (k_reciprocal, k_reciprocal_plain))
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)


@pytest.mark.parametrize("k1", [7, 9, 11, 13])
def test_odd_neighbourhoods_are_halved_like_the_plain_twin(k1: int) -> None:
    # Samples without clusters, where the size of the half neighbourhood decides.
    blocks = blocks_of(np.random.default_rng(k1).standard_normal((60, 3)), 20)
    got, want = (f(*blocks, k1) for f in (k_reciprocal, k_reciprocal_plain))
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = blocks_of(clusters(1, 60), 20)
    whole = k_reciprocal(*blocks)
    monkeypatch.setattr(rerank, "_CHUNK_ELEMENTS", 500)
    np.testing.assert_array_equal(k_reciprocal(*blocks), whole)


def test_all_samples_alike() -> None:
    got = k_reciprocal(np.zeros((3, 9)), np.zeros((3, 3)), np.zeros((9, 9)), k1=2)
    assert np.isfinite(got).all()


def test_input_is_left_alone() -> None:
    blocks = blocks_of(clusters(2, 12), 4)
    copies = [block.copy() for block in blocks]
    k_reciprocal(*blocks)
    for block, copy in zip(blocks, copies, strict=True):
        np.testing.assert_array_equal(block, copy)


@pytest.mark.parametrize(
    "shapes",
    [
        [(3, 5), (5, 5), (3, 3)],
        [(3, 5), (3, 3), (5, 4)],
        [(3,), (3, 3), (5, 5)],
        [(0, 5), (0, 0), (5, 5)],
    ],
)
def test_shapes_that_do_not_fit_are_named(shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(ScoringError) as caught:
        k_reciprocal(np.zeros(shapes[0]), np.zeros(shapes[1]), np.zeros(shapes[2]))
    assert f"{shapes[0]} query-gallery, {shapes[1]} query-query" in caught.value.seen
    assert "(q, g), (q, q), (g, g)" in caught.value.expected
    assert "squared_euclidean" in caught.value.do


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, 1e60])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_distances_that_cannot_be_squared_are_refused(value: float, which: int) -> None:
    blocks = [np.zeros((2, 3)), np.zeros((2, 2)), np.zeros((3, 3))]
    blocks[which][1, 1] = value
    name = ["query_gallery", "query_query", "gallery_gallery"][which]
    with pytest.raises(ScoringError, match=f"{name} distances from") as caught:
        k_reciprocal(blocks[0], blocks[1], blocks[2])
    assert "finite distances below 1.8e+19" in caught.value.expected
    assert "features" in caught.value.do


@pytest.mark.parametrize(
    "setting", [{"k1": 0}, {"k2": 0}, {"lambda_value": -0.1}, {"lambda_value": 1.5}]
)
def test_settings_out_of_range_are_named(setting: dict[str, Any]) -> None:
    (name, value), *_ = setting.items()
    with pytest.raises(ScoringError, match=re.escape(f"{name} = {value}")) as caught:
        k_reciprocal(np.zeros((2, 3)), np.zeros((2, 2)), np.zeros((3, 3)), **setting)
    assert "k1 and k2 of at least 1" in caught.value.expected
    assert "k1 = 20" in caught.value.do
