"""What lies beside a record: a run's descriptors and rank lists."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from harness.base.errors import RecordError
from harness.evidence.features_file import Side, read_own
from harness.evidence.record import RunRecord
from harness.evidence.written import EVIDENCE
from harness.spec.protocol import BoundProtocol

FEATURES, RANKS = EVIDENCE["features"], EVIDENCE["ranks"]


class Evidence(NamedTuple):
    """The stored descriptors and rank lists of one run."""

    query: Side
    gallery: Side
    rank_lists: NDArray[np.int32]
    """(q, 50) gallery positions, nearest first, removed ones left out, padded with -1."""
    protocol: BoundProtocol


def size_of(evidence: Evidence) -> int:
    """Bytes of its arrays; a gallery that is the query list is there once."""
    features = {id(side.features): side.features.nbytes for side in evidence[:2]}
    return sum(features.values()) + evidence.rank_lists.nbytes


def read_evidence(record: RunRecord, folder: Path) -> Evidence:
    """The evidence beside a record.

    Raises:
        FeaturesError: The features file is gone or damaged.
        RecordError: The rank lists are, or the record's protocol is none.
    """
    query, gallery = read_own(folder / FEATURES)
    ranks = folder / RANKS
    try:
        protocol = BoundProtocol.model_validate(record.protocol)
        with np.load(ranks, allow_pickle=False) as arrays:
            lists = np.asarray(arrays["rank_lists"], dtype=np.int32)
    except (OSError, ValueError, KeyError, ValidationError) as error:
        raise RecordError(
            seen=f"the rank lists of run {record.run_id} cannot be read: "
            f"{str(error).splitlines()[0]}",
            expected=f"{RANKS} as the run wrote it, in {folder}",
            do="run again; what is there is not done twice",
        ) from error
    fits = lists.ndim == 2 and len(lists) == len(query.names)
    if not fits or lists.min(initial=-1) < -1 or lists.max(initial=-1) >= len(gallery.names):
        raise RecordError(
            seen=f"{ranks} has rank lists of shape {lists.shape} that do not fit "
            f"{len(query.names)} queries and {len(gallery.names)} gallery entries",
            expected="a list of gallery positions for each query",
            do=f"harness verify {record.run_id}",
        )
    return Evidence(query, gallery, lists, protocol)
