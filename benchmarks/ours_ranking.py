"""Our scoring and re-ranking, as work for a worker process; no torch in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def scoring(data: str) -> Callable[[], dict[str, Any]]:
    """Our scorer on a matrix of distances."""
    from benchmarks.made_up import read_ranked
    from harness import Labels, score

    distances, told = read_ranked(data)
    query = Labels(told["q_pids"], told["q_cams"])
    gallery = Labels(told["g_pids"], told["g_cams"])

    def work() -> dict[str, Any]:
        found = score(distances, query, gallery)
        return {"mAP": found.mAP, "cmc": [found.rank(rank) for rank in (1, 5, 10)]}

    return work


def features(queries: int, gallery: int, width: int) -> Callable[[], dict[str, Any]]:
    """Our scorer on descriptors, with the rank lists that a record keeps."""
    import numpy as np

    from benchmarks.made_up import descriptors, labels
    from harness import Labels
    from harness.scoring import score_features

    rng = np.random.default_rng(0)
    (q_pids, q_cams), (g_pids, g_cams) = labels(rng, queries), labels(rng, gallery)
    first, second = descriptors(rng, q_pids, width), descriptors(rng, g_pids, width)

    def work() -> dict[str, Any]:
        found = score_features(
            first,
            second,
            Labels(q_pids, q_cams),
            Labels(g_pids, g_cams),
            filter="same_pid_same_cam",
            distance="squared_euclidean",
            normalise=False,
        )
        return {"mAP": found.score.mAP}

    return work


def rerank(queries: int, gallery: int, width: int) -> Callable[[], dict[str, Any]]:
    """Our re-ranking from descriptors."""
    from benchmarks.made_up import told_of, two_sides
    from harness.rerank import k_reciprocal_features

    sides = two_sides(queries, gallery, width)
    return lambda: {"told": told_of(k_reciprocal_features(*sides))}
