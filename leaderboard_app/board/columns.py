"""The columns of the board: what each says of a row, on the page and in a download."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd

from harness.board import BoardRow, BoardTable
from harness.board.view import rank_words, tie_mark
from harness.evidence.record import METRICS
from harness.export import interval
from harness.spec.method import TEST_TEXT
from leaderboard_app.shared.rows import TRUST_HELP, kind_of, millions, trust_mark
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


_METRIC_HELP = {
    "mAP": "Mean average precision over the queries that have a match, in percent.",
    "R1": "Queries whose nearest gallery entry is the same identity, in percent.",
    "R5": "Queries with a match among the first five, in percent.",
    "R10": "Queries with a match among the first ten, in percent.",
    "mINP": "Mean inverse penalty: how far down the hardest match stands, in percent.",
}


def _metric(name: str) -> Callable[[BoardRow], float | None]:
    return lambda row: row.metrics.get(name)


def _seeds(row: BoardRow) -> str | None:
    return ", ".join(map(str, row.seeds)) or None


def _conflict(row: BoardRow) -> str | None:
    return row.conflict or None


def _number(metric: str) -> Shown:
    title = metric_name(metric)
    return Shown(title, "number", _metric(metric), 2, "higher", width=66, help=_METRIC_HELP[metric])


COLUMNS: dict[str, Shown] = {
    "method": Shown(
        "method", "text", lambda row: row.title, width=186, help="A click on a name opens its page."
    ),
    "mAP": _number("mAP"),
    "R1": _number("R1"),
    "rank": Shown(
        "rank", "text", places, width=62, help="The places that paired comparisons leave open."
    ),
    "uncertainty": Shown(
        "95 % interval or ± sd",
        "text",
        uncertainty,
        width=210,
        help="Of mAP; the interval resamples identities, the deviation is over seeds.",
    ),
    "ties": Shown("ties", "text", tied, width=50, help="Rows with one letter: not told apart."),
    **{metric: _number(metric) for metric in METRICS[2:]},
    "year": Shown(
        "year", "number", lambda row: row.year, width=58, help="In which the method was published."
    ),
    "trust": Shown("trust", "tags", lambda row: [str(row.trust)], width=100, help=TRUST_HELP),
    "selection": Shown(
        "selection",
        "tags",
        lambda row: [row.selection] if row.selection else [],
        help="Which epoch of a run is the result: the last, or one picked on a validation or the "
        "test set.",
    ),
    "tags": Shown(
        "tags",
        "tags",
        lambda row: list(row.tags),
        width=300,
        help="What else the number was made with; the page of a claim says each in words.",
    ),
    "backbone": Shown(
        "backbone", "text", lambda row: row.backbone or None, width=130, help="The network."
    ),
    "parameters": Shown(
        "params, M", "number", millions, 1, "lower", width=84, help="Millions of parameters."
    ),
    "gflops": Shown(
        "GFLOP",
        "number",
        lambda row: row.gflops,
        1,
        "lower",
        width=74,
        help="10^9 operations for one descriptor; papers count them in different ways.",
    ),
    "descriptor": Shown(
        "descriptor",
        "number",
        lambda row: row.descriptor,
        width=84,
        help="Numbers in one sample's descriptor.",
    ),
    "conflict": Shown(
        "conflict",
        "text",
        _conflict,
        width=110,
        help="Claims with one mark say different numbers for the same method.",
    ),
    "source": Shown(
        "source",
        "text",
        lambda row: row.source or None,
        width=210,
        help="Where the number was read; the claim's page says the place in it.",
    ),
    "link": Shown(
        "link", "link", lambda row: row.source_url or None, width=60, help="Opens the source."
    ),
    "venue": Shown(
        "venue", "text", lambda row: row.venue or None, width=90, help="Where it was published."
    ),
    "pretraining": Shown(
        "pretraining",
        "text",
        lambda row: row.pretraining or None,
        width=110,
        help="What the backbone's weights were learnt on.",
    ),
    "recipe": Shown(
        "recipe", "text", lambda row: row.recipe or None, width=100, help="How it was trained."
    ),
    "seeds": Shown("seeds", "text", _seeds, width=80, help="Of the row's runs."),
    "kind": Shown("kind", "text", kind_of, width=80, help="Claimed in a paper, or run here."),
    "run": Shown(
        "run",
        "text",
        lambda row: ", ".join(row.run_ids) or None,
        width=150,
        help="Ids, for harness verify and harness reproduce.",
    ),
    "created": Shown(
        "created",
        "text",
        lambda row: row.created[:10] or None,
        width=96,
        help="Day of the newest run.",
    ),
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
    "tags",
    "parameters",
    "gflops",
    "descriptor",
    "conflict",
    "source",
    "link",
)
ALWAYS = "method"
CHANCE = "chance level"
"""What stands in that column where guessing has its row."""
SORT, UPWARDS = "sort", "up"
"""Parameters of the address."""
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
    return pd.DataFrame({name: [shown_of(name, row) for row in rows] for name in names})


def shown_of(name: str, row: BoardRow) -> Any:
    """What the page shows of a row: as `COLUMNS` has it, trust with its mark."""
    return [trust_mark(row)] if name == "trust" else COLUMNS[name].get(row)


def sorted_rows(rows: Sequence[BoardRow], by: str, downwards: bool) -> list[BoardRow]:
    """Rows in the order of a column; what a row does not say stands last, whatever the way."""
    get = COLUMNS[by].get
    said = [row for row in rows if get(row) not in _EMPTY]
    silent = [row for row in rows if get(row) in _EMPTY]
    return sorted(said, key=lambda row: _comparable(by, row), reverse=downwards) + silent


class Order(NamedTuple):
    """What the rows of a table are sorted by."""

    by: str
    downwards: bool

    def chance_place(self, table: BoardTable, rows: Sequence[BoardRow]) -> int | None:
        """Where the chance level stands among sorted rows; None where it has no place."""
        level = table.chance.get(self.by)
        if level is None:
            return None
        values = [row.metrics.get(self.by) for row in rows]
        above = [v is not None and (v >= level if self.downwards else v <= level) for v in values]
        return sum(above)


def _comparable(by: str, row: BoardRow) -> Any:
    if by == "rank":
        return row.rank
    if by == "ties":
        return row.tie_group
    found = COLUMNS[by].get(row)
    if COLUMNS[by].kind == "number":
        return found
    return ", ".join(found).lower() if isinstance(found, list) else str(found).lower()
