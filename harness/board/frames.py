"""The tables of the leaderboard as data frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.board.build import board
from harness.board.matrix import Overview, datasets_of, overview
from harness.board.ranking import rank_table
from harness.board.rows import BoardRow, BoardTable
from harness.claims import load_claims
from harness.evidence.record import METRICS
from harness.spec.plugins import load_plugins
from harness.store import STORE_NAME, open_store

if TYPE_CHECKING:
    from pandas import DataFrame

# Of a row, as it is; the others become columns of their own.
_PLAIN = (
    "kind", "title", "method", "year", "venue", "backbone", "recipe", "track", "trust", "selection",
    "pretraining", "parameters", "gflops", "descriptor", "source", "source_url", "conflict",
    "created", "key",
)  # fmt: skip


class Frames(NamedTuple):
    """What the pages show, as data frames."""

    boards: dict[str, DataFrame]
    """A row of the board each, best mAP first, by the table's title. Numbers are in percent; `low`
    and `high` are the ends of the 95 % interval of mAP, `best_rank` and `worst_rank` the places
    that the comparisons leave open, NaN where a row has none."""
    overviews: dict[str, DataFrame]
    """Methods by protocols, in mAP, by the data set's label; `mean_missing` and `mean_cross` are
    there for rows that have all six numbers of the group."""


def frames(out: Path | str = "runs", store: str | None = None) -> Frames:
    """Every table of an --out folder and of the published numbers.

    Args:
        out: The --out folder of runs; without one, only the published numbers are there.
        store: The URL of a team's store instead; $HARNESS_STORE is read, too.

    Raises:
        HarnessError: The store cannot be read.
    """
    folder = Path(out)
    there = store is not None or (folder / STORE_NAME).is_file()
    opened = open_store(folder, store) if there else None
    runs = [] if opened is None else opened.summaries()
    tables = board(runs, load_claims(), infos=load_plugins().methods)
    if opened is not None:
        tables = [rank_table(table, opened.per_query) for table in tables]
    return Frames(
        boards={table.title: board_frame(table) for table in tables},
        overviews={name: overview_frame(overview(tables, name)) for name in datasets_of(tables)},
    )


def board_frame(table: BoardTable) -> DataFrame:
    """One table; see `Frames.boards`."""
    from pandas import DataFrame

    return DataFrame([_line(row) for row in table.rows])


def overview_frame(found: Overview) -> DataFrame:
    """One overview; see `Frames.overviews`."""
    from pandas import DataFrame

    return DataFrame(
        [
            {
                "kind": row.kind,
                "method": row.name,
                "detail": row.detail,
                "year": row.year,
                **{p: row.cells[p].value if p in row.cells else None for p in found.protocols},
                **{f"mean_{group}": row.means.get(group) for group in ("missing", "cross")},
            }
            for row in found.rows
        ]
    )


def _line(row: BoardRow) -> dict[str, Any]:
    spread, ends = row.spread or {}, row.intervals.get("mAP") or (None, None)
    rank = row.rank or (None, None)
    return {
        "best_rank": rank[0],
        "worst_rank": rank[1],
        "tie_group": row.tie_group,
        **{metric: row.metrics.get(metric) for metric in METRICS},
        "low": ends[0],
        "high": ends[1],
        **{f"{metric}_sd": spread.get(metric) for metric in METRICS},
        **{name: _cell(getattr(row, name)) for name in _PLAIN},
        "tags": ";".join(row.tags),
        "seeds": _joined(row.seeds),
        "runs": _joined(row.run_ids),
    }


def _cell(value: Any) -> Any:
    # A level of trust is a word.
    return str(value) if isinstance(value, str) else value


def _joined(values: Sequence[object]) -> str:
    return ";".join(map(str, values))
