"""The order of answers and queries, held against the scorer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.base.errors import FeaturesError, RecordError
from harness.evidence.features_file import Side, write_features
from harness.scoring import rank_lists
from harness.scoring.distances import distance_matrix
from harness.scoring.labels import Labels, removed
from harness.spec.protocol import BoundProtocol
from leaderboard_app.queries.answers import Evidence, hits, ordered, read_evidence

PROTOCOL = BoundProtocol(name="full", title="", filter="same_pid_same_cam")


def made(seed: int, coarse: bool = False) -> Evidence:
    """Random sides; coarse descriptors tie often."""
    rng = np.random.default_rng(seed)
    sides = []
    for count in (7, 40):
        features = rng.integers(0, 3, (count, 2)) if coarse else rng.normal(size=(count, 8))
        labels = Labels(rng.integers(0, 4, count), rng.integers(0, 2, count))
        names = tuple(f"{count}-{i}.jpg" for i in range(count))
        sides.append(Side(features.astype(np.float32), names, labels))
    query, gallery = sides
    distances = distance_matrix(query.features, gallery.features, "squared_euclidean", False)
    lists = rank_lists(distances, query.labels, gallery.labels, PROTOCOL.filter, 50)
    return Evidence(query, gallery, lists, PROTOCOL)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.integers(0, 6))
def test_removed_entries_stand_where_their_distance_puts_them(
    seed: int, coarse: bool, query: int
) -> None:
    evidence = made(seed, coarse)
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


def _record() -> Any:
    return SimpleNamespace(run_id="r", protocol=PROTOCOL.model_dump(mode="json"))


def test_evidence_comes_back_from_the_disk(tmp_path: Path) -> None:
    evidence = made(3)
    write_features(tmp_path / "features.npz", evidence.query, evidence.gallery)
    np.savez(tmp_path / "ranks.npz", rank_lists=evidence.rank_lists)
    read = read_evidence(_record(), tmp_path)
    assert np.array_equal(read.rank_lists, evidence.rank_lists)
    assert hits(read, 0, 5, with_removed=True) == hits(evidence, 0, 5, with_removed=True)


def test_evidence_that_is_gone_or_does_not_fit_is_named(tmp_path: Path) -> None:
    evidence = made(3)
    with pytest.raises(FeaturesError):
        read_evidence(_record(), tmp_path)
    write_features(tmp_path / "features.npz", evidence.query, evidence.gallery)
    with pytest.raises(RecordError, match="cannot be read"):
        read_evidence(_record(), tmp_path)
    for lists in (evidence.rank_lists[:3], evidence.rank_lists + 40):
        np.savez(tmp_path / "ranks.npz", rank_lists=lists)
        with pytest.raises(RecordError, match="do not fit"):
            read_evidence(_record(), tmp_path)
