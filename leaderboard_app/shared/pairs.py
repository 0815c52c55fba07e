"""Published numbers beside those of runs on the very same data and protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from harness.board import BoardRow, BoardTable
from harness.claims import PublishedClaim

INSIDE, ABOVE, BELOW, NOT_RUN = "inside", "above", "below", "not run here"
WORDS = {
    INSIDE: "inside our interval",
    ABOVE: "above our interval",
    BELOW: "below our interval",
    NOT_RUN: NOT_RUN,
    "": "without an interval to be held against",
}
"""A verdict, said of the claim."""


class Pair(NamedTuple):
    """One claim, and the run that answers it."""

    claim: PublishedClaim
    row: BoardRow | None
    """The official recipe's run, else any of the method; None where nobody ran it here."""
    metric: str
    ours: float | None
    interval: tuple[float, float] | None
    difference: float | None
    verdict: str
    """Where the claim lies: inside our 95 % interval, above or below it."""


IntervalOf = Callable[[BoardRow, str], tuple[float, float] | None]


def pairs(
    claims: Iterable[PublishedClaim],
    tables: Iterable[BoardTable],
    known: Mapping[str, object],
    metric: str,
    interval_of: IntervalOf,
) -> list[Pair]:
    """Every claim of a method we have, on a data set and protocol of ours.

    Args:
        claims: Published numbers; variants, such as one row of an ablation, are left out.
        tables: Of runs.
        known: The registered methods by name.
        metric: Which number.
        interval_of: Of a row and metric.
    """
    by_name: dict[tuple[str, str], list[BoardRow]] = {}
    for table in tables:
        by_name.setdefault((table.dataset, table.protocol), []).extend(table.runs)
    out = []
    for claim in claims:
        said = getattr(claim, metric)
        if claim.method_key not in known or claim.variant or not claim.protocol or said is None:
            continue
        rows = by_name.get((claim.dataset, claim.protocol), [])
        row = _answer([r for r in rows if r.method == claim.method_key])
        out.append(pair_of(claim, row, metric, interval_of))
    return out


def _answer(rows: list[BoardRow]) -> BoardRow | None:
    # The paper's own recipe, unchanged, before others, then the most seeds, then the newest.
    order = sorted(rows, key=lambda r: (not r.variant, len(r.seeds), r.created), reverse=True)
    return order[0] if order else None


def pair_of(
    claim: PublishedClaim, row: BoardRow | None, metric: str, interval_of: IntervalOf
) -> Pair:
    """A claim that has the metric, held against one row."""
    if row is None:
        return Pair(claim, None, metric, None, None, None, NOT_RUN)
    said: float = getattr(claim, metric)
    ours, interval = row.metrics[metric], interval_of(row, metric)
    verdict = ""
    if interval is not None:
        verdict = BELOW if said < interval[0] else ABOVE if said > interval[1] else INSIDE
    return Pair(claim, row, metric, ours, interval, ours - said, verdict)
