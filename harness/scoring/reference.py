"""The scorer again, as loops that can be checked by eye; slow, and used only to test the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.scoring import Score
from harness.scoring.labels import Labels
from harness.spec.filters import Filter


def ranking_plain(
    row: NDArray[np.floating[Any]], query: Labels, i: int, gallery: Labels, filter: Filter
) -> list[int]:
    """Gallery indices that the filter leaves for query i, nearest first, ties by index.

    Args:
        row: (g,) distances from query i to every gallery sample.
        query: Labels of all queries.
        i: Which query.
        gallery: Labels of the g gallery samples.
        filter: Which gallery entries are removed.
    """
    order = np.argsort(row, kind="stable").tolist()
    return [j for j in order if not _is_removed(query, i, gallery, j, filter)]


def score_plain(
    distances: NDArray[np.floating[Any]],
    query: Labels,
    gallery: Labels,
    filter: Filter = "same_pid_same_cam",
) -> Score:
    """What `harness.scoring.score` returns, for valid input with at least one match.

    Args:
        distances: (q, g) real numbers without NaN.
        query: Labels of the q queries.
        gallery: Labels of the g gallery samples.
        filter: Which gallery entries are removed.
    """
    ap, inp, first, positives, candidates, tied = [], [], [], [], [], []
    for i in range(len(query)):
        ranking = ranking_plain(distances[i], query, i, gallery, filter)
        ranks = [n for n, j in enumerate(ranking, start=1) if gallery.pids[j] == query.pids[i]]
        found = len(ranks)
        precisions = [n / rank for n, rank in enumerate(ranks, start=1)]
        ap.append(sum(precisions) / found if found else float("nan"))
        inp.append(found / ranks[-1] if found else float("nan"))
        first.append(ranks[0] if found else 0)
        positives.append(found)
        candidates.append(len(ranking))
        near = {float(distances[i, j]) for j in ranking if gallery.pids[j] == query.pids[i]}
        others = {float(distances[i, j]) for j in ranking if gallery.pids[j] != query.pids[i]}
        tied.append(bool(near & others))

    matched = [i for i in range(len(query)) if positives[i] > 0]
    in_top = [sum(1 for i in matched if first[i] <= k) for k in range(1, len(gallery) + 1)]
    return Score(
        mAP=sum(ap[i] for i in matched) / len(matched),
        mINP=sum(inp[i] for i in matched) / len(matched),
        cmc=np.array(in_top) / len(matched),
        per_query_ap=np.array(ap),
        per_query_inp=np.array(inp),
        first_rank=np.array(first),
        positives=np.array(positives),
        candidates=np.array(candidates),
        tied=np.array(tied),
    )


def _is_removed(query: Labels, i: int, gallery: Labels, j: int, filter: Filter) -> bool:
    if filter == "none" or (filter != "same_cam" and query.pids[i] != gallery.pids[j]):
        return False
    if filter == "same_pid_same_scene":
        assert query.scenes is not None and gallery.scenes is not None
        return bool(query.scenes[i] == gallery.scenes[j])
    assert query.camids is not None and gallery.camids is not None
    return bool(query.camids[i] == gallery.camids[j])
