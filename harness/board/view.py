"""A table of the board as it is printed, exported and hashed."""

from __future__ import annotations

from harness.base.hashing import digest
from harness.board.marks import Marks
from harness.board.rows import BoardRow, BoardTable
from harness.evidence.record import METRICS
from harness.export import Cell, Column, TableView, Value

BOLD = "Bold: not told apart from the best run; underlined: from the best of the others."


def view_of(table: BoardTable, marks: Marks | None = None) -> TableView:
    """Everything a table says: ranks, ties, seeds, numbers, trust, selection, tags, runs.

    A claim has its source where a run has its id.

    Args:
        table: It.
        marks: Which numbers are bold or underlined, from `marks_of`.
    """
    columns = (
        Column("rank"),
        Column("tied"),
        Column("method"),
        Column("recipe"),
        Column("seeds"),
        *(Column(metric, better="higher") for metric in METRICS),
        Column("selection"),
        Column("trust"),
        Column("tags"),
        Column("run"),
    )
    return TableView(
        title=table.title,
        columns=columns,
        rows=tuple(_row(row, marks or {}) for row in table.rows),
        notes=notes(table) + ((BOLD,) if marks else ()),
        inputs_hash=inputs_hash(table),
    )


def _row(row: BoardRow, marks: Marks) -> tuple[Cell, ...]:
    return (
        None if row.rank is None else rank_words(row.rank),
        None if row.tie_group is None else tie_mark(row.tie_group),
        row.title,
        row.recipe or row.backbone,
        ",".join(map(str, row.seeds)),
        *(_value(row, metric, marks) for metric in METRICS),
        row.selection,
        str(row.trust),
        ", ".join([*row.tags, *(["conflict"] if row.conflict else [])]),
        " ".join(run_id[:8] for run_id in row.run_ids) or row.source,
    )


def _value(row: BoardRow, metric: str, marks: Marks) -> Value | None:
    if metric not in row.metrics:
        return None
    spread = None if row.spread is None else row.spread[metric]
    # One interval is enough to read; the others are in the records.
    interval = row.intervals.get(metric) if metric == "mAP" else None
    return Value(row.metrics[metric], spread, interval, marks.get((row.key, metric)))


def rank_words(rank: tuple[int, int]) -> str:
    """A rank interval: 1, or 2–5."""
    low, high = rank
    return str(low) if low == high else f"{low}–{high}"


def tie_mark(group: int) -> str:
    """The letter of a tie group: a to z, then aa."""
    letters = ""
    while group:
        group, rest = divmod(group - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def notes(table: BoardTable) -> tuple[str, ...]:
    """Chance, queries, what ranks mean, and how fine a difference shows."""
    if not table.runs:
        return ("Published numbers; nobody has run this here, so there are no intervals or ranks.",)
    chance = ", ".join(f"{m} {table.chance[m]:.2f}" for m in METRICS if m in table.chance)
    found = [f"Chance: {chance}; {table.valid_queries} valid of {table.queries} queries."]
    if any(row.rank for row in table.rows):
        found.append(
            "Rank: the interval that paired comparisons by mAP, resampling identities, leave "
            "open; rows with the same letter are tied with the best of them."
        )
    if table.resolution is not None:
        found.append(
            f"Differences below about {table.resolution:.1f} points of mAP cannot be told from "
            "noise here."
        )
    if any(row.spread for row in table.rows):
        found.append("± is the standard deviation over seeds.")
    if any(row.kind == "claim" for row in table.rows):
        found.append(
            "Claimed numbers are printed in papers and were not checked; they have no rank."
        )
    return tuple(found)


def inputs_hash(table: BoardTable) -> str:
    """SHA-256 over what the table is made of: data, protocol, run ids and printed numbers."""
    return digest(
        {
            "data": table.data_hash,
            "protocol": table.protocol_hash,
            "runs": sorted(run_id for row in table.rows for run_id in row.run_ids),
            "claims": sorted([r.key, r.metrics] for r in table.rows if r.kind == "claim"),
        }
    )
