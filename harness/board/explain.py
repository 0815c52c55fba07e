"""Why a run is where it is on the board, or why it is not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from harness.board.ranking import MOST_RANKED, comparable, rank_table
from harness.board.rows import BoardRow, BoardTable, PerQuery
from harness.board.same import differing
from harness.board.view import rank_words
from harness.evidence.record import RunRecord
from harness.stats.noise import noise
from harness.stats.paired import Paired, between

_MOST_LISTED = 8


class Against(NamedTuple):
    """One other row: the explained one less it."""

    row: BoardRow
    paired: Paired


class Explanation(NamedTuple):
    """A run's place on the board."""

    table: BoardTable
    """With ranks."""
    row: BoardRow
    place: int
    """From 1, by mAP, claims counted."""
    others: tuple[Against, ...]
    """Every row it can be compared with, best first; empty where it has no rank."""
    elsewhere: tuple[str, ...]
    """Tables of the same names with other hashes, and why they are others."""

    @property
    def tied(self) -> tuple[Against, ...]:
        """Rows that cannot be told from it."""
        return tuple(one for one in self.others if not one.paired.differs)

    def sentences(self) -> list[str]:
        """Everything in words."""
        count = len(self.table.rows)
        claims = count - len(self.table.runs)
        published = f", {claims} of them published numbers" if claims else ""
        found = [
            f"It is in the table {self.table.title}.",
            f"By mAP, {self.row.metrics['mAP']:.2f}, it is row {self.place} of {count}{published}.",
        ]
        return [*found, *self._rank_sentences(), *self._trust_sentences(), *self.elsewhere]

    def _rank_sentences(self) -> list[str]:
        if self.row.rank is None:
            return [
                "It has no rank: its record does not say whose its queries are, its queries are "
                f"not those of the other rows, or it is not among the {MOST_RANKED} best rows."
            ]
        ahead = sum(one.paired.interval[1] < 0 for one in self.others)
        behind = sum(one.paired.interval[0] > 0 for one in self.others)
        found = [
            f"Its rank is {rank_words(self.row.rank)}: of {len(self.others)} other rows of runs, "
            f"{ahead} better and {behind} worse beyond what the test identities leave open, "
            f"{len(self.tied)} tied with it."
        ]
        found += [_tie_words(one) for one in self.tied[:_MOST_LISTED]]
        if len(self.tied) > _MOST_LISTED:
            found.append(f"... and {len(self.tied) - _MOST_LISTED} more ties.")
        return found + (self._remedies() if self.tied else [])

    def _remedies(self) -> list[str]:
        widest = max((a.paired.interval[1] - a.paired.interval[0]) / 2 for a in self.tied)
        found = [
            f"To be told apart from all of them, the difference would have to be about "
            f"{widest:.1f} points on these identities; a test set of four times as many "
            "identities would halve that."
        ]
        if len(self.row.seeds) == 1:
            found.append(
                "It is one seed: the comparison speaks of this trained model. harness run --seeds "
                "1,2,3 makes it speak of the method."
            )
        return found

    def _trust_sentences(self) -> list[str]:
        words = {
            "reported": "Its numbers are those of its record, which nobody has checked here: "
            f"harness verify {self.row.run_ids[0]}",
            "rescored": "Its metrics were computed again from its stored descriptors; that proves "
            f"the arithmetic, not the descriptors: harness reproduce {self.row.run_ids[0]}",
            "rerun": "It was trained again here, within tolerance.",
        }
        return [words[str(self.row.trust)]]


def explain(
    run_id: str,
    tables: Sequence[BoardTable],
    per_query: PerQuery,
    record: Callable[[str], RunRecord],
) -> Explanation:
    """Where a run is.

    Args:
        run_id: The whole id of a run that is in one of the tables.
        tables: As `board` makes them.
        per_query: As `Store.per_query`.
        record: The record of a run id.
    """
    ((table, row),) = [(t, r) for t in tables for r in t.rows if _is_of(run_id, r)]
    ranked = rank_table(table, per_query)
    (place,) = [n for n, one in enumerate(ranked.rows, 1) if one.key == row.key]
    elsewhere = [
        t
        for t in tables
        if (t.dataset, t.protocol) == (table.dataset, table.protocol) and t is not table and t.runs
    ]
    return Explanation(
        table=ranked,
        row=ranked.rows[place - 1],
        place=place,
        others=_against(row, table, per_query),
        elsewhere=tuple(_other_table(t, run_id, record) for t in elsewhere),
    )


def _is_of(run_id: str, row: BoardRow) -> bool:
    """Whether it is the run's row under its own protocol."""
    return run_id in row.run_ids and not row.scored


def _against(row: BoardRow, table: BoardTable, per_query: PerQuery) -> tuple[Against, ...]:
    compared, pids = comparable(table, per_query)
    keys = [one.key for one, _ in compared]
    if row.key not in keys:
        return ()
    drawn = noise([values for _, values in compared], pids)
    own = keys.index(row.key)
    return tuple(
        Against(one, between(drawn, own, n)) for n, (one, _) in enumerate(compared) if n != own
    )


def _tie_words(one: Against) -> str:
    low, high = one.paired.interval
    which = f"{one.row.title} ({one.row.run_ids[0][:8]})"
    return (
        f"Tied with {which}: {one.paired.difference:+.2f} points, 95 % interval {low:+.2f} to "
        f"{high:+.2f} contains zero, p = {one.paired.p:.2g}."
    )


def _other_table(table: BoardTable, run_id: str, record: Callable[[str], RunRecord]) -> str:
    count = sum(len(row.run_ids) for row in table.rows)
    why = differing(record(run_id), record(table.runs[0].run_ids[0]))
    return f"{count} run(s) of the same names are in another table: {why}."
