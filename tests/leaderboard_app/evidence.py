"""Descriptors and rank lists made by hand."""

from __future__ import annotations

import numpy as np

from harness.evidence.features_file import Side
from harness.scoring import rank_lists
from harness.scoring.distances import distance_matrix
from harness.scoring.labels import Labels
from harness.spec.protocol import BoundProtocol
from leaderboard_app.shared.evidence import Evidence

PROTOCOL = BoundProtocol(name="full", title="", filter="same_pid_same_cam")


def made_evidence(seed: int, coarse: bool = False) -> Evidence:
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
