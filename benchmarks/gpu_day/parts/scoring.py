"""Scoring 20,000 queries among 200,000 and re-ranking, on the GPU and the CPU: the same ranks?"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu_day.parts.common import (
    TINY,
    device,
    finish,
    keep,
    left,
    require,
    step,
    tell,
)
from harness.rerank import k_reciprocal_features
from harness.scoring import Ranking, rank, score_features
from harness.scoring.labels import Labels

NAME = "scoring"
QUERIES, GALLERY, WIDTH, FEW = (300, 2_000, 64, 100) if TINY else (20_000, 200_000, 2_304, 1_000)
RERANKED = ((60, 400),) if TINY else ((1_000, 10_000), (3_368, 15_913))
_ROWS = 8_192
"""Drawn at a time."""


class Side(NamedTuple):
    """Descriptors and their labels."""

    rows: NDArray[np.float32]
    labels: Labels

    def first(self, count: int) -> Side:
        """So many of it."""
        cameras = self.labels.camids
        whose = Labels(self.labels.pids[:count], None if cameras is None else cameras[:count])
        return Side(self.rows[:count], whose)


def made_up(queries: int, gallery: int, width: int) -> tuple[Side, Side]:
    """Descriptors around a centre for each identity, with some copies."""
    rng = np.random.default_rng(0)
    people = max(20, gallery // 20)
    centres = rng.standard_normal((people, width), dtype=np.float32)
    found = []
    for count in (queries, gallery):
        pids = rng.integers(0, people, count)
        rows = np.empty((count, width), np.float32)
        for start in range(0, count, _ROWS):
            part = slice(start, start + _ROWS)
            noise = rng.standard_normal((len(pids[part]), width), dtype=np.float32)
            rows[part] = centres[pids[part]] + 1.5 * noise
        copies = max(1, count // 50)
        rows[-copies:] = rows[:copies]
        found.append(Side(rows, Labels(pids, rng.integers(0, 6, count))))
    query, searched = found
    return query, searched


def scored(query: Side, gallery: Side, where: str | None) -> tuple[Ranking, float]:
    """The ranking, and the seconds it took."""
    finish(where or "cpu")
    started = time.time()
    found = score_features(
        query.rows,
        gallery.rows,
        query.labels,
        gallery.labels,
        filter="same_pid_same_cam",
        distance="squared_euclidean",
        normalise=False,
        device=where,
    )
    return found, time.time() - started


def same(one: Ranking, two: Ranking) -> dict[str, float]:
    """How far two rankings of the same sides agree."""
    gaps = np.abs(one.score.per_query_ap - two.score.per_query_ap)
    return {
        "lists_alike_%": round(100 * float((one.rank_lists == two.rank_lists).mean()), 6),
        "mAP_gap": abs(one.score.mAP - two.score.mAP),
        "ap_largest_gap": float(np.nanmax(gaps)),
    }


def matrices(where: str, value: dict[str, Any]) -> None:
    """Given distances with ties, infinities and both zeros: every device ranks alike, exactly."""
    rng = np.random.default_rng(1)
    sizes = (60, 500) if TINY else (500, 20_000)
    query, gallery = (Labels(rng.integers(0, 40, n), rng.integers(0, 4, n)) for n in sizes)
    whole = rng.integers(-2, 2, sizes)
    odd = np.where(rng.random(sizes) < 0.5, np.inf, whole)
    cases: dict[str, NDArray[Any]] = {
        "ties": rng.integers(0, 50, sizes).astype(np.float32),
        "float64": rng.random(sizes),
        "zeros and infinity": np.where(rng.random(sizes) < 0.3, -0.0, odd),
    }
    for name, distances in cases.items():
        for kind in ("same_pid_same_cam", "same_cam"):
            one, two = (rank(distances, query, gallery, kind, 60, device=d) for d in (where, None))
            value[f"{name}, {kind}"] = bool(
                (one.rank_lists == two.rank_lists).all()
            ) and np.array_equal(one.score.per_query_ap, two.score.per_query_ap, equal_nan=True)
    tell(f"  given distances rank alike on both: {value}")


def few_on_both(query: Side, gallery: Side, where: str) -> float | None:
    """Some queries on the GPU and on the CPU; seconds of one query on the GPU."""
    some, per, on_gpu = query.first(FEW), None, None
    with step(NAME, f"{FEW} queries, GPU") as value:
        require(20)
        scored(query.first(64), gallery.first(max(500, GALLERY // 40)), where)
        on_gpu, seconds = scored(some, gallery, where)
        per = seconds / FEW
        value |= {"seconds": round(seconds, 3), "mAP": on_gpu.score.mAP}
        tell(f"  {FEW} x {GALLERY}, GPU: {seconds:.2f} s")
    with step(NAME, f"{FEW} queries, CPU") as value:
        require(20)
        on_cpu, seconds = scored(some, gallery, None)
        value |= {"seconds": round(seconds, 3), "extrapolated": round(seconds * QUERIES / FEW, 1)}
        if on_gpu is not None:
            value.update(same(on_gpu, on_cpu))
        tell(f"  {FEW} x {GALLERY}, CPU: {seconds:.2f} s; {value}")
    return per


def all_on_the_gpu(query: Side, gallery: Side, where: str, per: float | None) -> None:
    """The full size, if the time allows it by what one query took."""
    if per is not None:
        keep(NAME, {"full size on the GPU, extrapolated": round(per * QUERIES, 1)})
    with step(NAME, f"{QUERIES} queries, GPU") as value:
        require(1.3 * (per or 0) * QUERIES + 10)
        found, seconds = scored(query, gallery, where)
        value |= {"seconds": round(seconds, 2), "mAP": found.score.mAP}
        tell(f"  {QUERIES} x {GALLERY}, GPU: {seconds:.1f} s, mAP {100 * found.score.mAP:.2f}")


def reranked(query: Side, gallery: Side, where: str, value: dict[str, Any]) -> None:
    """Re-ranking on both, and how far they differ."""
    made: dict[str, NDArray[np.float32]] = {}
    # `cpu:0` goes through the code for accelerators, which is what a try without a GPU is for.
    for place in ("cpu:0" if where == "cpu" else where, "cpu"):
        if made:
            require(20)
        started = time.time()
        made[place] = k_reciprocal_features(query.rows, gallery.rows, device=place)
        value[f"{place}_seconds"] = round(time.time() - started, 2)
    one, two = made.values()
    value["largest_gap"] = float(np.abs(one - two).max())


def main() -> None:
    """Given distances, then descriptors, then re-ranking."""
    where = device()
    with step(NAME, "given distances") as value:
        matrices(where, value)
    started = time.time()
    query, gallery = made_up(QUERIES, GALLERY, WIDTH)
    about = {"queries": QUERIES, "gallery": GALLERY, "width": WIDTH}
    seconds = {"seconds_made": round(time.time() - started, 1)}
    keep(NAME, about | seconds | {"fp64_tflop": 2 * QUERIES * GALLERY * WIDTH / 1e12})
    per = few_on_both(query, gallery, where)
    all_on_the_gpu(query, gallery, where, per)
    for queries, others in RERANKED:
        with step(NAME, f"re-ranking {queries} + {others}") as value:
            require(30)
            reranked(query.first(queries), gallery.first(others), where, value)
            tell(f"  re-ranking {queries} + {others}: {value}")
    tell(f"scoring: {left():.0f} s left")


if __name__ == "__main__":
    main()
