"""The order of answers and queries, held against the scorer."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.scoring.distances import distance_matrix
from harness.scoring.labels import removed
from leaderboard_app.shared.answers import hits, ordered
from leaderboard_app.shared.evidence import Evidence
from tests.leaderboard_app.evidence import PROTOCOL, made_evidence


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.integers(0, 6))
def test_removed_entries_stand_where_their_distance_puts_them(
    seed: int, coarse: bool, query: int
) -> None:
    evidence = made_evidence(seed, coarse)
    plain = hits(evidence, query, 10)
    assert [h.position for h in plain] == [p for p in evidence.rank_lists[query][:10] if p >= 0]
    assert [h.rank for h in plain] == list(range(1, len(plain) + 1))
    full = hits(evidence, query, 10, with_removed=True)
    assert [h for h in full if h.rank is not None] == plain
    assert [h.distance for h in full] == sorted(h.distance for h in full)
    one = evidence.query.labels.take(slice(query, query + 1))
    gone = removed(one, evidence.gallery.labels, PROTOCOL.filter)[0]
    assert all(gone[h.position] == (h.rank is None) for h in full)
    # Nothing nearer than the last one shown is left out.
    near = [p for p in np.flatnonzero(gone) if full and _distance(evidence, query, p) < full[-1][3]]
    assert set(near) <= {h.position for h in full}


def _distance(evidence: Evidence, query: int, position: int) -> float:
    matrix = distance_matrix(
        evidence.query.features, evidence.gallery.features, "squared_euclidean", False
    )
    return float(matrix[query, position])


def test_queries_without_a_match_are_in_no_order() -> None:
    ap = [0.5, None, 0.1, 0.9]
    assert ordered("worst", ap) == [2, 0, 3]
    assert ordered("best", ap) == [3, 0, 2]
    assert ordered("difference", ap, [0.5, None, 0.9, 0.8]) == [2, 3, 0]
    assert sorted(ordered("random", ap, seed=1)) == [0, 2, 3]
    assert ordered("random", ap, seed=1) == ordered("random", ap, seed=1)
