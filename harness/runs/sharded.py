"""Evaluation by several processes: each embeds some samples and scores some queries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import nn

from harness.base.parallel import everyones, gathered, is_main, share, world
from harness.evidence.features_file import Side
from harness.runs.evaluation import (
    RANK_LIST_LENGTH,
    Evaluation,
    as_ranked,
    evaluate,
    evaluate_ranking,
)
from harness.scoring import rows_scored
from harness.scoring.distances import TILE
from harness.scoring.result import merged
from harness.scoring.ties import in_list_order
from harness.spec.method import Method
from harness.spec.modality import Modality
from harness.spec.protocol import BoundProtocol, Change
from harness.training.batches import Batches
from harness.training.features import BATCH, embed


def embedded(
    method: Method,
    model: nn.Module,
    batches: Batches,
    rows: NDArray[np.int64],
    modalities: tuple[Modality, ...],
    names: Sequence[str],
    change: Change,
) -> NDArray[np.float32]:
    """All descriptors, for every process; arguments as for `harness.training.features.embed`.

    Whole batches are shared out, so that from the same weights any number of processes gives the
    same digits.
    """
    mine = share(len(rows), BATCH)
    own = None
    if len(rows[mine]):
        own = embed(method, model, batches, rows[mine], modalities, names[mine], change)
    return gathered(own)


def evaluated(
    query: Side, gallery: Side, protocol: BoundProtocol, device: str | None = None
) -> Evaluation | None:
    """Score descriptors under a protocol; in NumPy to the digit as one process does.

    Args:
        query, gallery, protocol, device: As for `harness.runs.evaluation.evaluate`; each process
            names its own device.

    Returns:
        None for all but the main process.
    """
    if world().size == 1:
        return evaluate(query, gallery, protocol, device)
    searched, order = as_ranked(gallery, protocol)
    own = rows_scored(
        share(len(query.names), TILE),
        query.features,
        searched.features,
        query.labels,
        searched.labels,
        filter=protocol.filter,
        distance=protocol.distance,
        normalise=protocol.normalise,
        k=RANK_LIST_LENGTH,
        device=device,
    )
    parts = everyones(own)
    if not is_main():
        return None
    ranking = merged(parts, query.labels, searched.labels, protocol.filter)
    return evaluate_ranking(in_list_order(ranking, order), query, gallery, protocol)
