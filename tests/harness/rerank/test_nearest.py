"""The nearest of every sample, gathered from parts of a matrix, against a stable sort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.rerank import nearest
from harness.rerank.nearest import Nearest, distances_of, indices_of, of_columns, of_rows


@given(
    seed=st.integers(0, 999),
    samples=st.integers(1, 70),
    k=st.integers(1, 30),
    different=st.sampled_from([1, 3, 10**6]),
    step=st.integers(1, 70),
    ahead=st.integers(0, 3),
    piece=st.sampled_from([1, 100, 1 << 20]),
)
@settings(max_examples=100, deadline=None)
def test_parts_of_a_triangle_give_what_a_stable_sort_gives(
    seed: int, samples: int, k: int, different: int, step: int, ahead: int, piece: int
) -> None:
    drawn = np.random.default_rng(seed).integers(0, different, (samples, samples))
    matrix = np.maximum(drawn, drawn.T).astype(np.float32)
    k = min(k, samples)
    found = Nearest(samples, k)
    # What is known when the work on a strip begins: less than what the strips before it found.
    known = [found.limits] * (ahead + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "PIECE_ELEMENTS", piece)
        for start in range(0, samples, step):
            stop, limits = min(start + step, samples), known.pop(0)
            rows, after = matrix[start:stop, start:], matrix[start:stop, stop:]
            parts = (
                of_rows(rows, limits[start:stop], k, start, start),
                of_columns(after, limits[stop:], k, start, stop),
            )
            for part in parts:
                found.add(part)
            known.append(found.limits)
    want = np.argsort(matrix, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(indices_of(found.keys), want)
    np.testing.assert_array_equal(
        distances_of(found.keys), np.take_along_axis(matrix, want, axis=1)
    )


def test_far_fewer_candidates_than_distances_are_merged() -> None:
    matrix = np.random.default_rng(0).random((50, 20_000), dtype=np.float32)
    limits = np.full(50, np.finfo(np.float32).max)
    assert len(of_rows(matrix, limits, 29, 0, 0).keys) < 50 * 29 * 1.5
