"""Who was seen where, and which gallery entries a query can find and is scored on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.base.errors import ScoringError, UnknownNameError
from harness.base.numbers import LARGEST
from harness.spec.filters import Filter

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_FIELD = {
    "same_pid_same_cam": "camids",
    "same_pid_same_scene": "scenes",
    "same_pid_same_view": "camids",
    "same_cam": "camids",
}


@dataclass(frozen=True, eq=False, init=False)
class Labels:
    """Who was seen where: one entry per query or gallery sample.

    Args:
        pids: Identities, (n,) integers; lists are accepted and stored as a read-only int64 copy.
        camids: Cameras, (n,), or None, which only filters that ignore cameras accept. A data set
            whose images carry a view instead of a camera stores the view here.
        scenes: Scenes, (n,), or None where the data set has none.

    Raises:
        ScoringError: A field is not one-dimensional, not of integers, or of another length.
    """

    pids: Ints
    camids: Ints | None
    scenes: Ints | None

    def __init__(
        self, pids: ArrayLike, camids: ArrayLike | None, scenes: ArrayLike | None = None
    ) -> None:
        fields = {"pids": pids, "camids": camids, "scenes": scenes}
        for field, value in fields.items():
            array = None if value is None else _integers(field, value)
            if array is not None and field != "pids" and len(array) != len(self.pids):
                raise ScoringError(
                    f"labels with {len(self.pids)} pids but {len(array)} {field}",
                    f"as many {field} as pids",
                    "build all label arrays from the same list of samples",
                )
            object.__setattr__(self, field, array)

    def __len__(self) -> int:
        """How many samples are labelled."""
        return len(self.pids)

    def take(self, rows: slice | Ints) -> Labels:
        """The labels of some rows, in the order asked for."""
        return Labels(
            self.pids[rows],
            None if self.camids is None else self.camids[rows],
            None if self.scenes is None else self.scenes[rows],
        )


class MatchCounts(NamedTuple):
    """Per query, (q,) int64: gallery entries of its pid, those left by the filter, and all left."""

    same_pid: Ints
    positives: Ints
    candidates: Ints


def removed(query: Labels, gallery: Labels, filter: Filter) -> Bools:
    """Which gallery entries each query must not be scored on.

    Args:
        query: Labels of q queries; a chunk of them will do.
        gallery: Labels of g gallery samples.
        filter: `same_pid_same_cam`, `same_pid_same_scene`, `same_pid_same_view` (the view is
            stored in `camids`, as the data sets do), `same_cam` (every identity seen by the
            query's camera, SYSU-MM01's rule for cameras of one place) or `none`.

    Returns:
        (q, g) bool, True where the entry is removed.

    Raises:
        UnknownNameError: The filter does not exist.
        ScoringError: The labels lack the field that the filter compares.
    """
    query_key, gallery_key = (
        filter_key(query, filter, "query"),
        filter_key(gallery, filter, "gallery"),
    )
    if query_key is None or gallery_key is None:
        return np.zeros((len(query), len(gallery)), dtype=np.bool_)
    same_pid: Bools = query.pids[:, None] == gallery.pids
    same_key: Bools = query_key[:, None] == gallery_key
    if filter == "same_cam":
        return same_key
    return same_pid & same_key


def match_counts(query: Labels, gallery: Labels, filter: Filter) -> MatchCounts:
    """Counts what each query can find, from the labels alone and without any (q, g) matrix.

    Raises:
        UnknownNameError: The filter does not exist.
        ScoringError: The labels lack the field that the filter compares.
    """
    query_key, gallery_key = (
        filter_key(query, filter, "query"),
        filter_key(gallery, filter, "gallery"),
    )
    same_pid = _occurrences(query.pids[:, None], gallery.pids[:, None])
    if query_key is None or gallery_key is None:
        lost = gone = np.zeros_like(same_pid)
    else:
        lost = gone = _occurrences(
            np.column_stack([query.pids, query_key]), np.column_stack([gallery.pids, gallery_key])
        )
        if filter == "same_cam":
            gone = _occurrences(query_key[:, None], gallery_key[:, None])
    return MatchCounts(same_pid, same_pid - lost, len(gallery) - gone)


def check_sides(query: Labels, gallery: Labels) -> None:
    """Refuses an empty side.

    Raises:
        ScoringError: There is no query or no gallery sample.
    """
    if not len(query) or not len(gallery):
        raise ScoringError(
            f"{len(query)} queries and {len(gallery)} gallery samples",
            "at least one of each",
            "check that the split is not empty and that its file names were parsed",
        )


def require_match(query: Labels, gallery: Labels, filter: Filter) -> MatchCounts:
    """The match counts, of sides on which at least one query has a match.

    Raises:
        UnknownNameError: The filter does not exist.
        ScoringError: A side is empty, labels are missing, or no query has a match; the message
            tells queries whose pid is not in the gallery from those that the filter left empty.
    """
    check_sides(query, gallery)
    counts = match_counts(query, gallery, filter)
    if counts.positives.any():
        return counts
    absent = counts.same_pid == 0
    causes, advice = [], []
    if absent.any():
        i = int(absent.argmax())
        causes.append(
            f"{absent.sum()} have no gallery entry of their pid (such as query {i}, "
            f"pid {query.pids[i]})"
        )
        advice.append("check that both sides are of one split and their pids parsed alike")
    if not absent.all():
        i = int((~absent).argmax())
        field = _FIELD[filter]
        causes.append(
            f"{(~absent).sum()} lost every match to filter {filter!r} (such as query {i}, "
            f"pid {query.pids[i]}, {field} {getattr(query, field)[i]})"
        )
        advice.append(f"check that {field} were parsed, or choose another filter")
    raise ScoringError(
        f"none of {len(query)} queries has a match: " + "; ".join(causes),
        "a query with a gallery entry of its pid that the filter leaves",
        "; ".join(advice),
    )


def filter_key(labels: Labels, filter: Filter, side: str) -> Ints | None:
    """The field (n,) that a filter compares, None where it compares none.

    Args:
        labels: Of one side.
        filter: See `removed`.
        side: What the side is called in errors.

    Raises:
        UnknownNameError: The filter does not exist.
        ScoringError: The labels lack the field.
    """
    if filter not in get_args(Filter):
        raise UnknownNameError("filter", str(filter), get_args(Filter))
    if filter == "none":
        return None
    key: Ints | None = getattr(labels, _FIELD[filter])
    if key is None:
        raise ScoringError(
            f"filter {filter!r} but {side} labels without {_FIELD[filter]}",
            f"{_FIELD[filter]} for every {side} sample",
            f"give Labels its {_FIELD[filter]}, or choose another filter",
        )
    return key


def _occurrences(query: Ints, gallery: Ints) -> Ints:
    """How often each row of query (q, c) occurs among the rows of gallery (g, c)."""
    rows = np.concatenate([query, gallery])
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    inverse = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    counts = np.bincount(inverse[len(query) :], minlength=int(inverse.max()) + 1)
    return counts[inverse[: len(query)]].astype(np.int64)


def _integers(field: str, value: ArrayLike) -> Ints:
    array = np.asarray(value)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ScoringError(
            f"{field} of shape {array.shape} and type {array.dtype}",
            "a one-dimensional list of integers",
            f"pass one integer per sample as {field}",
        )
    if array.dtype.kind == "u" and array.size and int(array.max()) > LARGEST:
        raise ScoringError(
            f"{field} as large as {array.max()}",
            f"integers up to {LARGEST}, in 64 bits with a sign",
            "number them anew, from 0",
        )
    # A copy: labels that change after validation would change scores without a trace.
    array = np.array(array, dtype=np.int64)
    array.setflags(write=False)
    return array
