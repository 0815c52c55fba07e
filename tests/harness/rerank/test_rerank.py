"""k-reciprocal re-ranking, against its plain twin and the authors' numbers."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.base.errors import FeaturesError, ScoringError, UnknownNameError
from harness.rerank import (
    Distance,
    k_reciprocal,
    k_reciprocal_features,
    nearest,
    neighbourhoods,
    reciprocal,
)
from harness.rerank.reference import k_reciprocal_plain
from harness.scoring.distances import squared_euclidean

GOLDEN = Path(__file__).parents[3].parent / "shared/golden/rerank.npz"
CASES = ["case0_30+90", "case1_80+200"]
# Through the code that drives an accelerator, which is taken for every device but "cpu".
TORCH = "cpu:0"
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


def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reciprocal, "_CHUNK_ELEMENTS", 500)
    monkeypatch.setattr(nearest, "PIECE_ELEMENTS", 500)
    monkeypatch.setattr(neighbourhoods, "CHUNK_ELEMENTS", 500)


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
    small_chunks(monkeypatch)
    np.testing.assert_array_equal(k_reciprocal(*blocks), whole)


def drawn(seed: int, samples: int, how: str) -> Any:
    """Descriptors of which none, some or all tie: scattered, on a grid, repeated, equidistant."""
    points = clusters(seed, samples, how == "grid")
    chosen = np.random.default_rng(seed).integers(0, samples, samples)
    # In sixteenths, sums are exact: else blocks have copies some 1e-14 apart, descriptors never.
    repeated = np.round(points * 16)[chosen] / 16
    return {"repeated": repeated, "equidistant": np.eye(samples)[chosen]}.get(how, points)


def as_passed(blocks: tuple[Any, Any, Any], distance: Distance) -> list[Any]:
    return [block**0.5 if distance == "euclidean" else block for block in blocks]


@given(
    seed=st.integers(0, 999),
    samples=st.integers(2, 40),
    share=st.floats(0.1, 0.9),
    k1=st.integers(1, 50),
    k2=st.integers(1, 45),
    lambda_value=st.sampled_from([0.0, 0.3, 1.0]),
    how=st.sampled_from(["scattered", "grid", "repeated", "equidistant"]),
    distance=st.sampled_from(["euclidean", "squared_euclidean"]),
    device=st.sampled_from(["cpu", TORCH]),
)
@settings(max_examples=100, deadline=None)
def test_descriptors_give_what_plain_distances_give(
    seed: int,
    samples: int,
    share: float,
    k1: int,
    k2: int,
    lambda_value: float,
    how: str,
    distance: Distance,
    device: str,
) -> None:
    queries = min(max(1, int(share * samples)), samples - 1)
    features = drawn(seed, samples, how)
    numbers = (k1, k2, lambda_value)
    got = k_reciprocal_features(
        features[:queries], features[queries:], *numbers, distance, device=device
    )
    want = k_reciprocal_plain(*as_passed(blocks_of(features, queries), distance), *numbers)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)


@pytest.mark.parametrize("how", ["scattered", "repeated"])
def test_descriptors_give_the_same_in_strips_on_threads_and_through_torch(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = drawn(3, 700, how).astype(np.float32)
    want = k_reciprocal(*as_passed(blocks_of(features, 150), "euclidean"))

    def check(**options: Any) -> None:
        got = k_reciprocal_features(features[:150], features[150:], **options)
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)

    check()
    check(device=TORCH)
    small_chunks(monkeypatch)
    monkeypatch.setattr("harness.base.threads.blas_threads", lambda: 3)
    check(memory_mib=3)
    # No memory at all means the smallest strips there are.
    check(memory_mib=0)
    check(memory_mib=0, device=TORCH)


@pytest.mark.gpu
def test_descriptors_on_a_gpu_give_the_same() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    features = drawn(3, 2000, "repeated").astype(np.float32)
    got, want = (
        k_reciprocal_features(features[:300], features[300:], device=device)
        for device in ("cuda", "cpu")
    )
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)


def test_strips_on_a_device_are_as_large_as_its_memory_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("torch")
    from harness.rerank import on_device
    from harness.rerank.descriptors import Descriptors

    features = drawn(3, 700, "scattered").astype(np.float32)
    descriptors = Descriptors(features[:150], features[150:])
    want = k_reciprocal_features(features[:150], features[150:])
    sizes = []
    for free in (8 << 30, 1 << 20):
        monkeypatch.setattr(on_device, "free_bytes", lambda _, free=free: free)
        sizes.append(on_device.rows_that_fit(descriptors, None, TORCH))
        got = k_reciprocal_features(features[:150], features[150:], device=TORCH)
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-6)
    assert sizes[0] > 700 > sizes[1] >= 16


def test_a_device_too_small_for_the_descriptors_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    from harness.rerank import on_device

    monkeypatch.setattr(on_device, "free_bytes", lambda _: 40_000)
    features = drawn(3, 700, "scattered")
    with pytest.raises(ScoringError, match=f"free on {TORCH}") as caught:
        k_reciprocal_features(features[:150], features[150:], device=TORCH)
    assert "--device cpu" in caught.value.do


def test_distances_of_gallery_to_gallery_are_never_held() -> None:
    features = clusters(4, 5200).astype(np.float32)
    tracemalloc.start()
    k_reciprocal_features(features[:200], features[200:], k1=5, k2=2, memory_mib=8)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5000**2 * 4 / 3


def test_descriptors_are_left_alone() -> None:
    features = clusters(2, 12)
    copy = features.copy()
    k_reciprocal_features(features[:4], features[4:])
    np.testing.assert_array_equal(features, copy)


def test_descriptors_that_do_not_fit_are_named() -> None:
    with pytest.raises(FeaturesError, match="width 3, gallery of width 4"):
        k_reciprocal_features(np.zeros((2, 3)), np.zeros((5, 4)))
    with pytest.raises(ScoringError, match="0 query and 5 gallery descriptors"):
        k_reciprocal_features(np.zeros((0, 4)), np.zeros((5, 4)))
    with pytest.raises(UnknownNameError, match="cosine"):
        k_reciprocal_features(np.zeros((2, 4)), np.zeros((5, 4)), distance="cosine")  # type: ignore[arg-type]


@pytest.mark.parametrize(("distance", "value"), [("squared_euclidean", 1e12), ("euclidean", 1e20)])
def test_descriptors_too_far_apart_are_refused(distance: Distance, value: float) -> None:
    far = np.full((5, 3), value)
    with pytest.raises(ScoringError, match="descriptors of length up to") as caught:
        k_reciprocal_features(np.zeros((2, 3)), far, distance=distance)
    assert f"{distance} distances below 1.8e+19" in caught.value.expected
    got = k_reciprocal_features(np.zeros((2, 3)), far / 1e4, distance=distance)
    assert np.isfinite(got).all()


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
