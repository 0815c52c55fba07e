"""One line of a matrix over several tables: what one method, or one run of it, has in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from harness.board.rows import BoardRow, BoardTable


class Line(NamedTuple):
    """The rows of several tables that are the same method, made in the same way."""

    title: str
    rows: tuple[BoardRow | None, ...]
    """In the order of the tables; None where it is not in one."""

    @property
    def first(self) -> BoardRow:
        """The row of the first table that has one."""
        return next(row for row in self.rows if row is not None)


def lines_of(tables: Sequence[BoardTable]) -> list[Line]:
    """Every row of the tables, each with those of the others that it belongs with.

    Claims belong together when a source prints them for the same method, variant and backbone; runs
    when the same recipe's settings were trained by the same code, or one run was scored under
    several protocols. Of several such rows in one table, the newest stands.

    Args:
        tables: Their order is that of the columns; lines stand in the order of the first table
            that has them.
    """
    found: dict[tuple[str, ...], list[BoardRow | None]] = {}
    for place, table in enumerate(tables):
        for row in table.rows:
            cells = found.setdefault(_key(row), [None] * len(tables))
            known = cells[place]
            if known is None or known.created < row.created:
                cells[place] = row
    lines = [Line("", tuple(cells)) for cells in found.values()]
    return [line._replace(title=line.first.title) for line in lines]


def _key(row: BoardRow) -> tuple[str, ...]:
    if row.kind == "claim":
        return ("claim", row.family, row.variant, row.backbone, row.source)
    return ("run", row.method, row.variant, row.code_hash, row.selection)
