"""From descriptors to scores in parts: the digits of the whole matrix, in bounded memory."""

from __future__ import annotations

import multiprocessing
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from typing import Any, get_args

import numpy as np
import pytest

from harness.base.errors import FeaturesError, ScoringError, UnknownNameError
from harness.scoring import Ranking, Score, merged, rank, rank_lists, rows_scored, score_features
from harness.scoring.distances import TILE, Kind, Searched, distance_matrix
from harness.scoring.features import planned
from harness.scoring.labels import Labels
from harness.scoring.reference import score_plain
from harness.spec.filters import Filter

FILTERS = get_args(Filter)
QUERIES, GALLERY = 3 * TILE + 5, 700
HOW: dict[str, Any] = {"filter": "same_pid_same_cam", "distance": "cosine", "normalise": True}


def sides(dtype: Any = np.float32, width: int = 33) -> tuple[Any, Any, Labels, Labels]:
    """Descriptors with copies among the gallery, and labels with queries that match nothing."""
    rng = np.random.default_rng(0)
    labels = [Labels(*(rng.integers(0, 9, n) for _ in range(3))) for n in (QUERIES, GALLERY)]
    query, gallery = (4 * rng.standard_normal((n, width)) for n in (QUERIES, GALLERY))
    query += labels[0].pids[:, None] / 2
    gallery += labels[1].pids[:, None] / 2
    gallery[rng.integers(0, GALLERY, 200)] = gallery[rng.integers(0, 5, 200)]
    strangers = Labels(labels[0].pids * 2, labels[0].camids, labels[0].scenes)
    return query.astype(dtype), gallery.astype(dtype), strangers, labels[1]


def assert_equal(got: Ranking, want: Ranking) -> None:
    for field in fields(Score):
        np.testing.assert_array_equal(
            getattr(got.score, field.name), getattr(want.score, field.name), field.name
        )
    np.testing.assert_array_equal(got.rank_lists, want.rank_lists)


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize(("kind", "memory"), [("cosine", 512), ("squared_euclidean", 1)])
def test_parts_score_as_the_whole_matrix(filter: Filter, kind: Kind, memory: int) -> None:
    query, gallery, asked, searched = sides()
    got = score_features(
        query,
        gallery,
        asked,
        searched,
        filter=filter,
        distance=kind,
        normalise=False,
        k=20,
        memory_mib=memory,
    )
    distances = distance_matrix(query, gallery, kind, False)
    assert_equal(got, rank(distances, asked, searched, filter, 20))
    assert got.score.mAP == pytest.approx(score_plain(distances, asked, searched, filter).mAP)
    assert (got.rank_lists == rank_lists(distances, asked, searched, filter, 20)).all()


def test_processes_score_as_one() -> None:
    given = sides()
    want = score_features(*given, **HOW)
    cuts = [slice(0, TILE), slice(TILE, TILE), slice(TILE, QUERIES)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        parts = [pool.submit(rows_scored, cut, *given, **HOW) for cut in cuts]
        got = merged([part.result() for part in parts], *given[2:], HOW["filter"])
    assert_equal(got, want)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("memory", [1, 512])
def test_torch_scores_as_numpy_does(device: str, memory: int) -> None:
    torch = pytest.importorskip("torch")
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU that torch can use")
    # Products of whole numbers are exact, so every distance and every tie is the same.
    for dtype, how in [
        (np.int16, {"distance": "squared_euclidean", "normalise": False}),
        (np.float16, {"distance": "cosine", "normalise": True}),
        (np.float32, {"distance": "squared_euclidean", "normalise": True}),
    ]:
        given, asked = sides(dtype), {**HOW, **how, "k": 701, "memory_mib": memory}
        got = score_features(*given, **asked, device=device)
        assert_equal(got, score_features(*given, **asked))
        parts = [
            rows_scored(slice(*cut), *given, **asked, device=device)
            for cut in ((0, TILE), (TILE, QUERIES))
        ]
        assert_equal(got, merged(parts, *given[2:], HOW["filter"]))


def test_what_is_held_is_bounded() -> None:
    rng = np.random.default_rng(0)
    query, gallery = (rng.standard_normal((n, 8), dtype=np.float32) for n in (2000, 40_000))
    asked, searched = (Labels(rng.integers(0, 99, n), None) for n in (2000, 40_000))
    tracemalloc.start()
    try:
        got = score_features(
            query, gallery, asked, searched, **{**HOW, "filter": "none"}, memory_mib=96
        )
        peak = tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
    # All distances would be 305 MiB.
    assert peak < 96
    assert 0 < got.score.mAP < 0.05


def test_memory_decides_what_is_held() -> None:
    gallery = Searched(np.arange(100_000, dtype=np.float32)[:, None], "cosine", True)
    tile = TILE * 100_000 * 4 / 2**20
    for memory, available in [(1, 1), (1, 8), (128, 2), (512, 2), (4096, 8)]:
        plan = planned(10**6, gallery, memory, available)
        assert plan.rows % TILE == 0
        assert plan.rows // TILE * tile * plan.threads <= max(memory, tile)
    assert planned(10**6, gallery, 1, 8).threads == 1
    assert planned(10**6, gallery, 4096, 8).threads == 8
    assert planned(3 * TILE, gallery, 4096, 2).rows == TILE
    assert planned(0, gallery, 512, 2) == (TILE, 1)


@pytest.mark.slow
def test_a_gallery_of_a_million() -> None:
    rng = np.random.default_rng(0)
    query, gallery = (rng.standard_normal((n, 16), dtype=np.float32) for n in (128, 1_000_000))
    asked, searched = (Labels(np.arange(n) % 50_000, None) for n in (128, 1_000_000))
    gallery[999_999] = gallery[77]
    query[77] = gallery[77]
    tracemalloc.start()
    try:
        got = score_features(query, gallery, asked, searched, **{**HOW, "filter": "none"})
        assert tracemalloc.get_traced_memory()[1] < 512 << 20
    finally:
        tracemalloc.stop()
    assert got.rank_lists[77, :2].tolist() == [77, 999_999]
    assert got.score.first_rank[77] == 1


def test_what_does_not_fit_is_refused() -> None:
    query, gallery, asked, searched = sides()
    with pytest.raises(FeaturesError, match="width 32, gallery of width 33"):
        score_features(query[:, :-1], gallery, asked, searched, **HOW)
    with pytest.raises(ScoringError, match="699 gallery descriptors but 700 gallery labels"):
        score_features(query, gallery[:-1], asked, searched, **HOW)
    with pytest.raises(ScoringError, match="k = 0"):
        score_features(query, gallery, asked, searched, **HOW, k=0)
    with pytest.raises(UnknownNameError, match="unknown distance"):
        score_features(query, gallery, asked, searched, **{**HOW, "distance": "cosin"})
    with pytest.raises(ScoringError, match="none of 197 queries has a match"):
        score_features(query, gallery, Labels(asked.pids + 99, asked.camids), searched, **HOW)
