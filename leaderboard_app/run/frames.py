"""One run's numbers taken apart: by identity, by camera, by modality, by corruption."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.evidence.evaluations import Evaluated
from harness.evidence.record import PerQuery
from harness.spec.modality import MODALITIES
from harness.spec.protocol import Protocol

SEVERITIES = range(1, 6)
CLEAN = "full"


def by_group(per_query: PerQuery, groups: Sequence[int] | NDArray[np.int64]) -> pd.DataFrame:
    """AP and Rank-1 of the queries of each group, worst first, in percent.

    Args:
        per_query: Of the record.
        groups: (q,) the identity or camera of each query.

    Returns:
        Columns group, queries, valid, mAP, R1; the means are over valid queries, NaN without one.
    """
    ap = np.array([np.nan if v is None else v for v in per_query.ap])
    first = np.array([0 if r is None else r for r in per_query.first_rank])
    rank1 = np.where(np.isnan(ap), np.nan, first == 1)
    frame = pd.DataFrame({"group": np.asarray(groups), "ap": 100 * ap, "r1": 100 * rank1})
    found = frame.groupby("group", as_index=False).agg(
        queries=("ap", "size"), valid=("ap", "count"), mAP=("ap", "mean"), R1=("r1", "mean")
    )
    return found.sort_values(["mAP", "group"], ignore_index=True)


def modality_matrix(
    results: Iterable[Evaluated], protocols: Mapping[str, Protocol], metric: str
) -> pd.DataFrame:
    """Columns query, gallery, value, chance, protocol: a cell for each pair of modality sets.

    Only protocols that leave modalities out enter; corruption and random absence are something
    else, and so is a filter of another kind.
    """
    found = []
    for one in results:
        protocol = protocols.get(one.protocol)
        if protocol is None or metric not in one.metrics:
            continue
        special = (protocol.corruption, protocol.random_missing, protocol.held_out)
        if any(part is not None for part in special) or protocol.filter != "dataset":
            continue
        found.append(
            {
                "query": "+".join(protocol.query_modalities),
                "gallery": "+".join(protocol.gallery_modalities),
                "value": one.metrics[metric],
                "chance": one.chance.get(metric),
                "protocol": one.protocol,
            }
        )
    columns = ["query", "gallery", "value", "chance", "protocol"]
    # Two names for one pair give one number twice; digits printed over digits cannot be read.
    return pd.DataFrame(found, columns=columns).drop_duplicates(["query", "gallery"])


def modality_order(sets: Iterable[str]) -> list[str]:
    """Sets of modalities, the largest first, then in the order RGB, NI, TI."""
    known = list(MODALITIES)

    def place(words: str) -> tuple[int, list[int]]:
        parts = words.split("+")
        return -len(parts), [known.index(p) for p in parts if p in known]

    return sorted(set(sets), key=place)


def robustness(
    results: Iterable[Evaluated], protocols: Mapping[str, Protocol], metric: str
) -> pd.DataFrame:
    """Columns kind, severity, value: severity 0 is the clean set, once for each kind."""
    every = list(results)
    found = []
    for one in every:
        protocol = protocols.get(one.protocol)
        corruption = None if protocol is None else protocol.corruption
        if corruption is None or metric not in one.metrics:
            continue
        severity = corruption.severity
        whole = corruption.modalities == MODALITIES and corruption.sides != "query"
        if isinstance(severity, int) and whole:
            found.append((corruption.kind, severity, one.metrics[metric]))
    clean = [
        one.metrics[metric] for one in every if one.protocol == CLEAN and metric in one.metrics
    ]
    if clean:
        found += [(kind, 0, clean[0]) for kind in dict.fromkeys(kind for kind, _, _ in found)]
    frame = pd.DataFrame(found, columns=["kind", "severity", "value"])
    return frame.sort_values(["kind", "severity"], ignore_index=True)
