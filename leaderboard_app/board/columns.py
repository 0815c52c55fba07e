"""The columns of the board: what each says of a row, on the page and in a download."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd

from harness.base.hashing import digest
from harness.board import BoardRow, BoardTable
from harness.board.view import rank_words, tie_mark
from harness.evidence.record import METRICS
from harness.export import Column, TableView, Value, interval
from harness.spec.method import TEST_TEXT
from leaderboard_app.shared.rows import kind_of, millions
from leaderboard_app.shared.text import metric_name

Kind = Literal["text", "number", "tags", "link"]


class Shown(NamedTuple):
    """One column."""

    title: str
    kind: Kind
    get: Callable[[BoardRow], Any]
    digits: int = 0
    better: Literal["higher", "lower"] | None = None
    width: int | None = None
    help: str | None = None


def places(row: BoardRow) -> str | None:
    """The places that the comparisons leave open for a row, such as 2–4."""
    return None if row.rank is None else rank_words(row.rank)


def tied(row: BoardRow) -> str | None:
    """Rows with one letter cannot be told apart."""
    return None if row.tie_group is None else tie_mark(row.tie_group)


def uncertainty(row: BoardRow, metric: str = "mAP") -> str | None:
    """The 95 % interval, or the standard deviation over seeds."""
    parts = []
    if row.spread is not None and metric in row.spread:
        parts.append(f"± {row.spread[metric]:.2f} ({len(row.seeds)} seeds)")
    if row.intervals.get(metric) is not None:
        parts.append(interval(row.intervals[metric]))
    return ", ".join(parts) or None


def _metric(name: str) -> Callable[[BoardRow], float | None]:
    return lambda row: row.metrics.get(name)


def _seeds(row: BoardRow) -> str | None:
    return ", ".join(map(str, row.seeds)) or None


def _conflict(row: BoardRow) -> str | None:
    return row.conflict or None


COLUMNS: dict[str, Shown] = {
    "rank": Shown(
        "rank", "text", places, width=62, help="The places that paired comparisons leave open."
    ),
    "method": Shown("method", "text", lambda row: row.title, width=170),
    **{m: Shown(metric_name(m), "number", _metric(m), 2, "higher", width=76) for m in METRICS[:1]},
    "uncertainty": Shown(
        "95 % interval or ± sd",
        "text",
        uncertainty,
        width=210,
        help="Of mAP; resamples identities.",
    ),
    "ties": Shown("ties", "text", tied, width=50, help="One letter: not told apart."),
    **{m: Shown(metric_name(m), "number", _metric(m), 2, "higher", width=76) for m in METRICS[1:]},
    "year": Shown("year", "number", lambda row: row.year, width=58),
    "trust": Shown("trust", "tags", lambda row: [str(row.trust)], width=92),
    "selection": Shown("selection", "tags", lambda row: [row.selection] if row.selection else []),
    "conflict": Shown(
        "conflict",
        "text",
        _conflict,
        width=110,
        help="Claims with one mark say different numbers for the same method.",
    ),
    "tags": Shown("tags", "tags", lambda row: list(row.tags), width=300),
    "backbone": Shown("backbone", "text", lambda row: row.backbone or None, width=130),
    "parameters": Shown("params, M", "number", millions, 1, "lower", width=84),
    "gflops": Shown("GFLOP", "number", lambda row: row.gflops, 1, "lower", width=74),
    "descriptor": Shown("descriptor", "number", lambda row: row.descriptor, width=84),
    "source": Shown("source", "text", lambda row: row.source or None, width=210),
    "link": Shown("link", "link", lambda row: row.source_url or None, width=60),
    "venue": Shown("venue", "text", lambda row: row.venue or None, width=90),
    "pretraining": Shown("pretraining", "text", lambda row: row.pretraining or None, width=110),
    "recipe": Shown("recipe", "text", lambda row: row.recipe or None, width=100),
    "seeds": Shown("seeds", "text", _seeds, width=80),
    "kind": Shown("kind", "text", kind_of, width=80),
    "run": Shown("run", "text", lambda row: ", ".join(row.run_ids) or None, width=150),
    "created": Shown("created", "text", lambda row: row.created[:10] or None, width=96),
}
"""By the name in the address, in the order of the page."""

AT_FIRST = (
    "rank",
    "ties",
    "method",
    "year",
    "mAP",
    "uncertainty",
    "R1",
    "R5",
    "R10",
    "mINP",
    "trust",
    "selection",
    "conflict",
    "tags",
    "parameters",
    "gflops",
    "descriptor",
    "source",
    "link",
)
ALWAYS = "method"
_EMPTY: tuple[Any, ...] = (None, [], "")


def shown_columns(rows: Sequence[BoardRow], chosen: Sequence[str]) -> set[str]:
    """The columns that somebody chose, or the usual ones.

    Runs with captions share a table with those without only where it says which they are.
    """
    found = {*chosen, ALWAYS} if chosen else usual_columns(rows)
    told = any(row.kind == "run" and TEST_TEXT in row.tags for row in rows)
    return found | {"tags"} if told else found


def usual_columns(rows: Sequence[BoardRow]) -> set[str]:
    """Those shown when nobody chose: of the usual ones, what at least one row fills.

    Ranks are not known yet when this is asked; runs will have them.
    """
    filled = {name for name in AT_FIRST if any(COLUMNS[name].get(r) not in _EMPTY for r in rows)}
    ranked = {"rank", "ties"} if any(row.kind == "run" for row in rows) else set()
    return filled | ranked | {ALWAYS, "mAP"}


def frame(rows: Sequence[BoardRow], names: Sequence[str]) -> pd.DataFrame:
    """The rows as the page's table."""
    return pd.DataFrame({name: [COLUMNS[name].get(row) for row in rows] for name in names})


def sorted_rows(rows: Sequence[BoardRow], by: str, downwards: bool) -> list[BoardRow]:
    """Rows in the order of a column; what a row does not say stands last, whatever the way."""
    get = COLUMNS[by].get
    said = [row for row in rows if get(row) not in _EMPTY]
    silent = [row for row in rows if get(row) in _EMPTY]
    return sorted(said, key=lambda row: _comparable(by, row), reverse=downwards) + silent


def view(
    table: BoardTable, rows: Sequence[BoardRow], names: Sequence[str], hidden: str
) -> TableView:
    """Exactly what is on the page, for a download."""
    columns = tuple(
        Column(COLUMNS[n].title, digits=COLUMNS[n].digits, better=COLUMNS[n].better, key=n)
        for n in names
    )
    notes = [hidden] if hidden else []
    if table.chance:
        notes.append(
            f"Chance level: mAP {table.chance['mAP']:.2f}, Rank-1 {table.chance['R1']:.2f}; "
            f"{table.valid_queries} of {table.queries} queries are valid."
        )
    return TableView(
        title=table.title,
        columns=columns,
        rows=tuple(tuple(_cell(row, n) for n in names) for row in rows),
        notes=tuple(notes),
        inputs_hash=inputs_hash(table, rows, names),
    )


def inputs_hash(table: BoardTable, rows: Sequence[BoardRow], names: Sequence[str]) -> str:
    """Over both hashes of the table, the rows in their order and the columns."""
    made_of = [table.data_hash, table.protocol_hash, [[r.key, *r.run_ids] for r in rows], [*names]]
    return digest(made_of)


def _cell(row: BoardRow, name: str) -> Any:
    column, found = COLUMNS[name], COLUMNS[name].get(row)
    if found is None:
        return None
    if column.kind == "number":
        spread = row.spread.get(name) if row.spread else None
        return Value(float(found), spread=spread)
    return ", ".join(found) if isinstance(found, list) else str(found)


def _comparable(by: str, row: BoardRow) -> Any:
    if by == "rank":
        return row.rank
    if by == "ties":
        return row.tie_group
    found = COLUMNS[by].get(row)
    if COLUMNS[by].kind == "number":
        return found
    return ", ".join(found).lower() if isinstance(found, list) else str(found).lower()
