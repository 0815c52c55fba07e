"""Chance in closed form, against permutations, simulation and the fact sheet."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import ScoringError
from harness.scoring import score
from harness.scoring.chance import chance
from harness.scoring.labels import Labels
from harness.scoring.reference import score_plain

FILELIST = Path(__file__).parents[3].parent / "shared/data/filelists/RGBNT201/test.txt"
SIZES = [(n, p) for n in range(1, 7) for p in range(1, n + 1)]


def one_query(candidates: int, positives: int) -> tuple[Labels, Labels]:
    pids = [1] * positives + [2] * (candidates - positives)
    return Labels([1], None), Labels(pids, None)


@pytest.mark.parametrize(("candidates", "positives"), SIZES)
def test_chance_is_the_mean_over_all_rankings(candidates: int, positives: int) -> None:
    query, gallery = one_query(candidates, positives)
    orders = itertools.permutations(range(candidates))
    scores = [
        score_plain(np.array([order], dtype=np.float64), query, gallery, "none") for order in orders
    ]
    expected = [
        np.mean([s.mAP for s in scores]),
        *(np.mean([s.rank(k) for s in scores]) for k in (1, 5, 10)),
        np.mean([s.mINP for s in scores]),
    ]
    assert chance(query, gallery, "none") == pytest.approx(expected, abs=1e-12)


def test_chance_is_the_mean_of_simulated_rankings() -> None:
    rng = np.random.default_rng(3)
    query = Labels(rng.integers(0, 5, 12), rng.integers(0, 3, 12))
    gallery = Labels(rng.integers(0, 4, 40), rng.integers(0, 3, 40))
    rows = []
    for _ in range(1500):
        s = score(rng.random((12, 40)), query, gallery)
        rows.append([s.mAP, s.rank(1), s.rank(5), s.rank(10), s.mINP])
    error = np.std(rows, axis=0) / np.sqrt(len(rows))
    stated = np.array(chance(query, gallery, "same_pid_same_cam"))
    assert (np.abs(np.mean(rows, axis=0) - stated) < 4 * error).all()


def test_chance_at_the_edges() -> None:
    assert chance(*one_query(4, 4), "none") == pytest.approx([1] * 5)
    assert chance(*one_query(1, 1), "none") == (1, 1, 1, 1, 1)
    n = 100_000
    single = chance(*one_query(n, 1), "none")
    harmonic = sum(1 / i for i in range(1, n + 1))
    assert single == pytest.approx([harmonic / n, 1 / n, 5 / n, 10 / n, harmonic / n])
    many = chance(*one_query(n, n // 2), "none")
    assert (many.R1, many.mINP) == pytest.approx((0.5, 0.5), abs=1e-4)


def test_chance_leaves_out_queries_without_a_match() -> None:
    query, gallery = one_query(6, 2)
    more = Labels([1, 9], None)
    assert chance(more, gallery, "none") == pytest.approx(chance(query, gallery, "none"))


def test_chance_without_any_match_is_refused() -> None:
    with pytest.raises(ScoringError, match="none of 1 queries has a match"):
        chance(Labels([1], [0]), Labels([1], [0]), "same_pid_same_cam")


def test_chance_of_rgbnt201() -> None:
    if not FILELIST.is_file():
        pytest.skip(f"no file list at {FILELIST}")
    seen = [(int(name[:6]), int(name[10])) for name in FILELIST.read_text().split()]
    everyone = Labels([pid for pid, _ in seen], [cam for _, cam in seen])
    stated = chance(everyone, everyone, "same_pid_same_cam")
    assert len(everyone) == 836
    assert stated.mAP == pytest.approx(0.0239, abs=5e-5)
    # The fact sheet's Rank-1 of 1.58 % comes from random scores; the first entry of a random
    # ranking is a match as often as candidates are, which by plain counting is 1.64 %.
    shares = []
    for pid, cam in seen:
        same_pid = [c for p, c in seen if p == pid]
        matches = len(same_pid) - same_pid.count(cam)
        shares.append(matches / (len(seen) - same_pid.count(cam)))
    assert np.mean(shares) == pytest.approx(0.0164, abs=5e-5)
    assert pytest.approx(np.mean(shares), abs=1e-12) == stated.R1
