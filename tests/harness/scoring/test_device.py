"""Scoring on a torch device: few products, each large; what goes there goes once. The device is
torch's CPU, standing in for a GPU."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from harness.scoring import score_features
from harness.scoring.distances import TILE, Kind, Searched, checked
from harness.scoring.labels import Labels
from tests.harness.scoring.test_score_features import HOW, assert_equal, sides

torch = pytest.importorskip("torch")

from harness.scoring import device  # noqa: E402  (it imports torch)

QUERIES, GALLERY, WIDTH = 500, 2_000, 16


def whole(distance: Kind = "cosine") -> tuple[Any, Any, Labels, Labels]:
    """Descriptors of small whole numbers, whose products are exact, with copies."""
    rng = np.random.default_rng(0)
    rows = [rng.integers(-9, 9, (n, WIDTH)).astype(np.float32) for n in (QUERIES, GALLERY)]
    rows[1][-300:] = rows[1][:300]
    labels = [Labels(rng.integers(0, 40, n), rng.integers(0, 4, n)) for n in (QUERIES, GALLERY)]
    return rows[0], rows[1], labels[0], labels[1]


def products(**options: Any) -> list[tuple[int, ...]]:
    """Shapes of the left sides of all products of a scoring on the device."""
    from torch.utils._python_dispatch import TorchDispatchMode

    seen: list[tuple[int, ...]] = []

    class Counting(TorchDispatchMode):
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            if "::mm" in func._schema.name or "::bmm" in func._schema.name:
                seen.append(tuple(args[0].shape))
            return func(*args, **(kwargs or {}))

    with Counting():
        score_features(*whole(), **{**HOW, **options}, device="cpu")
    return seen


def test_one_product_scores_all_queries_where_the_memory_is_there() -> None:
    assert products() == [(QUERIES, WIDTH)]


def test_only_little_memory_makes_products_small() -> None:
    shapes = products(memory_mib=8)
    assert sum(rows for rows, _ in shapes) == QUERIES
    assert {rows for rows, _ in shapes[:-1]} == {TILE}


@pytest.mark.parametrize("free", [None, 1 << 30, 300_000], ids=["unknown", "much", "little"])
@pytest.mark.parametrize("distance", ["cosine", "squared_euclidean"])
def test_the_result_is_numpys_whether_the_gallery_fits_or_not(
    free: int | None, distance: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "free_bytes", lambda _: free)
    monkeypatch.setattr(device, "_TILE_ELEMENTS", 100 * WIDTH)
    given = whole()
    asked = {**HOW, "distance": distance, "normalise": False, "k": 30}
    assert_equal(score_features(*given, **asked, device="cpu"), score_features(*given, **asked))


def test_descriptors_in_float64_are_left_as_they_are() -> None:
    query, gallery, *labels = sides(np.float64)
    kept = gallery.copy()
    asked = {**HOW, "memory_mib": 1}
    got = score_features(query, gallery, *labels, **asked, device="cpu")
    assert_equal(got, score_features(query, gallery, *labels, **asked))
    np.testing.assert_array_equal(gallery, kept)


def test_what_goes_to_the_device_goes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: Counter[int] = Counter()
    for name in ("tensor", "from_numpy", "as_tensor"):
        plain = getattr(torch, name)

        def counted(value: Any, *args: Any, plain: Any = plain, **kwargs: Any) -> Any:
            sent[np.size(value)] += 1
            return plain(value, *args, **kwargs)

        monkeypatch.setattr(torch, name, counted)
    query, gallery, *labels = whole()
    distinct = len(Searched(gallery, "cosine", True).firsts)
    # Eight blocks of queries, one tile of the gallery.
    score_features(query, gallery, *labels, **HOW, memory_mib=8, device="cpu")
    assert sent[distinct] == 2, "lengths and norms"
    assert sent[distinct * WIDTH] == 1, "the gallery"
    assert sent[GALLERY] == 1, "which descriptor each sample has"


def test_the_plan_keeps_to_the_memory() -> None:
    _, searched = checked(np.zeros((1, 64)), np.random.default_rng(0).random((5_000, 64)), *_KIND)
    for memory, free in [(None, 1 << 30), (64, None), (None, 8 << 20), (1, 1 << 20)]:
        plan = device.planned(100_000, searched, memory, free)
        assert plan.rows % TILE == 0 and plan.rows >= TILE and 1 <= plan.columns <= 5_000
        held = searched.nbytes if plan.resident else 0
        budget = ((free or 0) - held) // 2 if memory is None else memory << 20
        needed = plan.rows * device._BYTES * 5_000 + 16 * 64 * plan.columns
        assert needed <= budget or plan.rows == TILE
    assert device.planned(100_000, searched, None, 1 << 33).rows > 10_000
    assert not device.planned(10, searched, None, 1 << 20).resident
    assert device.planned(10, searched, None, 1 << 33).rows == TILE
    # A block's distances can be counted in int32.
    wide = device.planned(10**9, searched, None, 1 << 45)
    assert wide.rows * 5_000 <= 1 << 30


_KIND: tuple[Kind, bool] = ("cosine", True)
