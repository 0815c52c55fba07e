"""Runs on the same queries held against each other: what differs, by how much, and is it noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from harness.base.errors import RecordError
from harness.board import metric_values, require_same
from harness.board.names import Names
from harness.evidence.record import METRICS
from harness.spec.method import TEST_TEXT, MethodInfo
from harness.spec.text import captions_of, without_captions
from harness.stats import Floats, Paired, holm, paired
from harness.store import PerQueryValues, Stored
from harness.store.rows import summary_of


class Line(NamedTuple):
    """One metric of two sides, in percent."""

    metric: str
    a: float
    b: float
    paired: Paired
    """Of b less a."""
    p_corrected: float
    """Holm's, over the sides compared with the first; equal to p when there is one."""


class QueryDifference(NamedTuple):
    """A query on which two sides differ; means over seeds, average precision in percent."""

    name: str
    pid: int
    ap_a: float
    ap_b: float
    first_rank_a: float
    first_rank_b: float


class Pairing(NamedTuple):
    """The first side and one other."""

    a: str
    b: str
    lines: tuple[Line, ...]
    queries: tuple[QueryDifference, ...]
    """Those with the largest difference in average precision, largest first."""
    identities: tuple[int, int, int]
    """How many identities have a higher mean average precision on the other side than on the first,
    the same, and a lower one."""

    @property
    def verdict(self) -> str:
        """What the comparison of mAP says, in words; its sign is that of every line."""
        line = self.lines[0]
        low, high = line.paired.interval
        if math.isnan(low):
            return "One identity says nothing about others: no verdict."
        sure = line.paired.differs and line.p_corrected < 0.05
        better, other = (self.b, self.a) if line.paired.difference > 0 else (self.a, self.b)
        words = (
            f"mAP of {self.b} less {self.a}: {line.paired.difference:+.2f} points, 95 % interval "
            f"{low:+.2f} to {high:+.2f}, {p_words(line.p_corrected)}"
        )
        if sure:
            return f"{better} is better than {other} ({words})."
        if line.paired.differs:
            return (
                f"{self.b} and {self.a} are not told apart once corrected for how many are "
                f"compared ({words})."
            )
        return (
            f"{self.b} and {self.a} cannot be told apart on these identities ({words}); a "
            f"difference would have to be about {(high - low) / 2:.1f} points to show."
        )


class Comparison(NamedTuple):
    """The first side against each of the others."""

    dataset: str
    protocol: str
    data_hash: str
    protocol_hash: str
    sides: tuple[tuple[str, ...], ...]
    """Run ids of each side."""
    identities: int
    valid_queries: int
    pairings: tuple[Pairing, ...]

    @property
    def model(self) -> str:
        """What was resampled, in words."""
        several = any(len(side) > 1 for side in self.sides)
        seeds = (
            "seeds are drawn too, on sides that have several; a side of one run speaks of that "
            "trained model"
            if several
            else "each side is one trained model, so this says nothing about other seeds"
        )
        return (
            f"{self.identities} identities ({self.valid_queries} valid queries) are drawn with "
            f"replacement, the same for both sides; {seeds}."
        )


def compare(
    a: Stored | Sequence[Stored],
    *others: Stored | Sequence[Stored],
    queries: int = 10,
    infos: Mapping[str, MethodInfo] | None = None,
) -> Comparison:
    """Compare a run, or several seeds of one recipe, with one or more others.

    Args:
        a: The side that every other is compared with.
        others: At least one.
        queries: How many of the queries that differ most to keep.
        infos: Methods by name, whose recipes say what a side is called.

    Raises:
        RecordError: Data or protocol hashes differ (the error says which and why), the records
            do not say whose queries these are, or there is nothing to compare.
    """
    sides = [_runs(side) for side in (a, *others)]
    if len(sides) < 2 or not all(sides):
        raise RecordError(
            f"{len(sides)} sides, {sum(map(len, sides))} runs",
            "two sides or more, each of one run or several seeds",
            "harness compare A B, with ids from harness list runs",
        )
    every = [run for side in sides for run in side]
    require_same(run.record for run in every)
    evidence = [[_per_query(run) for run in side] for side in sides]
    first = evidence[0][0]
    _require_same_queries(every, [found for side in evidence for found in side])
    names = _labels(sides, Names(infos or {}))
    compared = [_lines(evidence[0], other, first) for other in evidence[1:]]
    corrected = _corrected(compared)
    about = every[0].record
    return Comparison(
        dataset=without_captions(about.dataset_label),
        protocol=about.protocol_name,
        data_hash=about.pictures_hash,
        protocol_hash=about.protocol_hash,
        sides=tuple(tuple(run.record.run_id for run in side) for side in sides),
        identities=len(_identities(first)),
        valid_queries=about.valid_queries,
        pairings=tuple(
            Pairing(
                names[0],
                names[n + 1],
                lines,
                _queries(evidence[0], evidence[n + 1], queries),
                won_tied_lost(evidence[0], evidence[n + 1]),
            )
            for n, lines in enumerate(corrected)
        ),
    )


def _runs(side: Stored | Sequence[Stored]) -> list[Stored]:
    return [side] if isinstance(side, Stored) else list(side)


def _per_query(run: Stored) -> PerQueryValues:
    found = run.record.per_query
    return PerQueryValues(found.names, found.pids, found.ap, found.first_rank, found.inp)


def _require_same_queries(runs: Sequence[Stored], found: Sequence[PerQueryValues]) -> None:
    for run, one in zip(runs, found, strict=True):
        same = (one.names, one.pids) == (found[0].names, found[0].pids)
        if one.pids is None or not same:
            seen = "does not say whose its queries are" if one.pids is None else "has other queries"
            raise RecordError(
                seen=f"the record {run.record.run_id} {seen}",
                expected="per-query results with pids, of the same queries in every run",
                do="run it again with this version: its record then has them",
            )


def _labels(sides: Sequence[Sequence[Stored]], names: Names) -> list[str]:
    """What the sides are called on the board, with the run id where they are called alike.

    A side that was given captions says so.
    """
    told = [f" ({TEST_TEXT})" * bool(captions_of(s[0].record.dataset_label)) for s in sides]
    short = [
        f"{names.of_run(summary_of(*side[0]))}{words}"
        for side, words in zip(sides, told, strict=True)
    ]
    ids = [s[0].record.run_id[:8] + ("…" if len(s) > 1 else "") for s in sides]
    alike = len(set(short)) < len(short)
    return [f"{n} {i}" for n, i in zip(short, ids, strict=True)] if alike else short


def _stacked(runs: Sequence[PerQueryValues], metric: str) -> Floats | None:
    values = [metric_values(run, metric) for run in runs]
    known = [v for v in values if v is not None]
    return np.stack(known) if len(known) == len(values) else None


def _lines(
    a: Sequence[PerQueryValues], b: Sequence[PerQueryValues], first: PerQueryValues
) -> list[Line]:
    lines = []
    for metric in METRICS:
        left, right = _stacked(a, metric), _stacked(b, metric)
        if left is None or right is None:
            continue
        found = paired(right, left, first.pids or ())
        means = [float(np.nanmean(side)) for side in (left, right)]
        lines.append(Line(metric, means[0], means[1], found, found.p))
    return lines


def _corrected(compared: Sequence[Sequence[Line]]) -> list[tuple[Line, ...]]:
    """Holm's correction over the sides, metric by metric."""
    by_metric: dict[tuple[int, str], float] = {}
    for metric in METRICS:
        there = [(n, x) for n, side in enumerate(compared) for x in side if x.metric == metric]
        for (n, _), p in zip(there, holm([x.p_corrected for _, x in there]), strict=True):
            by_metric[n, metric] = p
    return [
        tuple(x._replace(p_corrected=by_metric[n, x.metric]) for x in side)
        for n, side in enumerate(compared)
    ]


def won_tied_lost(a: Sequence[PerQueryValues], b: Sequence[PerQueryValues]) -> tuple[int, int, int]:
    """Identities on which b is better than a, the same, and worse, by mean average precision.

    Means are over seeds, then over an identity's queries that have a match; those that agree to
    the ninth digit are the same, since two orders of adding are no difference.
    """
    ap = [
        np.mean([100 * np.array(run.ap, dtype=np.float64) for run in side], axis=0)
        for side in (a, b)
    ]
    pids = np.array(a[0].pids or ())
    valid = ~np.isnan(ap[0])
    _, place = np.unique(pids[valid], return_inverse=True)
    differences = np.bincount(place, (ap[1] - ap[0])[valid]) / np.bincount(place)
    signs = np.sign(np.round(differences, 9))
    return int((signs > 0).sum()), int((signs == 0).sum()), int((signs < 0).sum())


def p_words(p: float) -> str:
    """A p-value as papers print it; never zero, which no test gives."""
    if math.isnan(p):
        return "p not known"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _identities(found: PerQueryValues) -> set[int]:
    """Those with a valid query."""
    return {pid for pid, ap in zip(found.pids or (), found.ap, strict=True) if ap is not None}


def _queries(
    a: Sequence[PerQueryValues], b: Sequence[PerQueryValues], most: int
) -> tuple[QueryDifference, ...]:
    # AP and first rank are always there.
    ap = [np.mean([100 * np.array(r.ap, dtype=np.float64) for r in s], axis=0) for s in (a, b)]
    rank = [np.mean([np.array(r.first_rank, dtype=np.float64) for r in s], axis=0) for s in (a, b)]
    size = np.nan_to_num(np.abs(ap[1] - ap[0]))
    order = [n for n in np.argsort(-size, kind="stable").tolist() if size[n] > 0][:most]
    names, pids = a[0].names, a[0].pids or ()
    return tuple(
        QueryDifference(names[n], pids[n], *(float(v[n]) for v in (*ap, *rank))) for n in order
    )


def as_json(found: Comparison) -> dict[str, Any]:
    """The comparison as JSON-ready fields."""
    return {
        **found._asdict(),
        "model": found.model,
        "pairings": [
            {
                "a": one.a,
                "b": one.b,
                "verdict": one.verdict,
                "metrics": [_line_json(line) for line in one.lines],
                "queries": [q._asdict() for q in one.queries],
                "identities": dict(zip(("won", "tied", "lost"), one.identities, strict=True)),
            }
            for one in found.pairings
        ],
    }


def _line_json(line: Line) -> dict[str, Any]:
    low, high = line.paired.interval
    known = not math.isnan(low)
    return {
        "metric": line.metric,
        "a": line.a,
        "b": line.b,
        "difference": line.paired.difference,
        "interval": [low, high] if known else None,
        "p": line.paired.p if known else None,
        "p_corrected": line.p_corrected if known else None,
    }
