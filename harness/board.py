"""The leaderboard: a pure function from records to tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from harness.record import RunRecord


class Row(NamedTuple):
    """One run as a table shows it; metrics in percent."""

    run_id: str
    method: str
    recipe: str
    seed: int
    selection: str
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float] | None]
    created: str


class BoardTable(NamedTuple):
    """Runs that may be compared: the same data, byte by byte, under the same protocol."""

    dataset: str
    data_hash: str
    protocol: str
    protocol_hash: str
    chance: dict[str, float]
    queries: int
    valid_queries: int
    rows: tuple[Row, ...]
    """Best mAP first; equal ones by run id."""

    @property
    def title(self) -> str:
        """Data set and protocol, with the hashes that make the table one table."""
        return (
            f"{self.dataset} · {self.protocol} "
            f"(data {self.data_hash[:8]}, protocol {self.protocol_hash[:8]})"
        )


def board(records: Iterable[RunRecord]) -> list[BoardTable]:
    """Group records into tables, sorted by data set and protocol name."""
    groups: dict[tuple[str, str, str, str], list[RunRecord]] = {}
    for record in records:
        key = (
            record.dataset_label,
            record.protocol_name,
            record.data_hash,
            record.protocol_hash,
        )
        groups.setdefault(key, []).append(record)
    return [_table(groups[key]) for key in sorted(groups)]


def _table(records: list[RunRecord]) -> BoardTable:
    first = records[0]
    rows = [
        Row(
            run_id=r.run_id,
            method=r.method,
            recipe=str(r.recipe.get("name", "")),
            seed=r.seed,
            selection=r.selection,
            metrics=r.metrics,
            intervals=r.intervals,
            created=r.created,
        )
        for r in records
    ]
    rows.sort(key=lambda row: (-row.metrics["mAP"], row.run_id))
    return BoardTable(
        dataset=first.dataset_label,
        data_hash=first.data_hash,
        protocol=first.protocol_name,
        protocol_hash=first.protocol_hash,
        chance=first.chance,
        queries=first.queries,
        valid_queries=first.valid_queries,
        rows=tuple(rows),
    )
