"""Which gallery entries a query is looking for and which it is not scored on, by index."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from harness.scoring.labels import Ints, Labels, filter_key
from harness.spec.filters import Filter


class Found(NamedTuple):
    """Gallery entries of the queries of a block; both pairs ascend by row, then by column."""

    rows: Ints
    """(m,) of each match: its query, counted from the block's first."""
    columns: Ints
    """(m,) of each match: its gallery index."""
    gone_rows: Ints
    """(n,) of each removed entry: its query, counted from the block's first."""
    gone_columns: Ints
    """(n,) of each removed entry: its gallery index."""


class Matches:
    """Matches and removed entries of all queries, without a mask of queries x gallery.

    The gallery is grouped by identity once, and a query looks at its own identity's group only.

    Args:
        query: Labels of the q queries.
        gallery: Labels of the g gallery samples.
        filter: Which gallery entries are removed, see `harness.scoring.labels.removed`.

    Raises:
        UnknownNameError: The filter does not exist.
        ScoringError: The labels lack the field that the filter compares.
    """

    def __init__(self, query: Labels, gallery: Labels, filter: Filter) -> None:
        self._query = filter_key(query, filter, "query")
        self._gallery = filter_key(gallery, filter, "gallery")
        self._by_pid = _Groups(query.pids, gallery.pids)
        self._by_key: _Groups | None = None
        if filter == "same_cam" and self._query is not None and self._gallery is not None:
            self._by_key = _Groups(self._query, self._gallery)

    def of(self, block: slice) -> Found:
        """Those of the queries of a block, given by its start and stop."""
        rows, columns = self._by_pid.members(block)
        if self._query is None or self._gallery is None:
            return Found(rows, columns, rows[:0], columns[:0])
        removed = self._gallery[columns] == self._query[block][rows]
        left = Found(rows[~removed], columns[~removed], rows[removed], columns[removed])
        if self._by_key is None:
            return left
        # This filter removes other identities as well.
        return Found(left.rows, left.columns, *self._by_key.members(block))


class _Groups:
    """For each query the gallery entries of the same value."""

    def __init__(self, query: Ints, gallery: Ints) -> None:
        self.order = np.argsort(gallery, kind="stable")
        values = gallery[self.order]
        self.starts = np.searchsorted(values, query, side="left")
        self.counts = np.searchsorted(values, query, side="right") - self.starts

    def members(self, block: slice) -> tuple[Ints, Ints]:
        """Row and gallery index of every entry, ascending."""
        counts, starts = self.counts[block], self.starts[block]
        rows = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        return rows, self.order[starts[rows] + place]
