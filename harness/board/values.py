"""Each query's value of a metric, from what a record keeps of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.base.errors import UnknownNameError
from harness.evidence.record import METRICS
from harness.stats import Floats
from harness.store import PerQueryValues


def metric_values(found: PerQueryValues, metric: str) -> Floats | None:
    """(q,) float64 in percent, NaN where a query has no match; the metric is their mean.

    None for mINP of a record from before it was kept.

    Raises:
        UnknownNameError: No such metric.
    """
    if metric == "mAP":
        return 100 * _with_gaps(found.ap)
    if metric == "mINP":
        return None if found.inp is None else 100 * _with_gaps(found.inp)
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    first = _with_gaps(found.first_rank)
    return np.where(np.isnan(first), np.nan, 100.0 * (first <= int(metric[1:])))


def _with_gaps(values: Sequence[float | None]) -> Floats:
    # None becomes NaN.
    return np.array(values, dtype=np.float64)
