"""What is kept of a strip of distances, wherever it was computed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.rerank.descriptors import Strip
from harness.rerank.nearest import Found

Matrix = NDArray[np.float32]


class Outcome(NamedTuple):
    """What is kept of a strip."""

    strip: Strip
    nearest: Found
    """Candidates of its rows."""
    nearest_after: Found
    """Candidates of the columns from `strip.after`."""
    largest: Matrix
    largest_after: Matrix
    values: Matrix | None
    """(rows, u) all distances, for the rows of queries."""
