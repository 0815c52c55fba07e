"""One line of a matrix over several tables: what one method, or one run of it, has in each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        return _first(self.rows)


def lines_of(tables: Sequence[BoardTable]) -> list[Line]:
    """Every row of the tables, each with those of the others that it belongs with.

    Claims belong together when a source prints them for the same method, variant and backbone. Runs
    do when they are one training, scored under several protocols; and trainings of one method under
    a protocol each do when they were made by the same code with the same changes, and no table has
    two of them. No row is left out.

    Args:
        tables: Their order is that of the columns; lines stand in the order of the first table
            that has them.
    """
    found: dict[tuple[str, ...], list[BoardRow | None]] = {}
    for place, table in enumerate(tables):
        for row in table.rows:
            key = line_key(row)
            if found.setdefault(key, [None] * len(tables))[place] is not None:
                key = (*key, row.key)
            found.setdefault(key, [None] * len(tables))[place] = row
    return [Line(_first(cells).title, tuple(cells)) for cells in joined(found.values())]


def joined(every: Iterable[Sequence[BoardRow | None]]) -> list[list[BoardRow | None]]:
    """Lines of trainings under a protocol each, made one where no two of them share a table."""
    lines: list[list[BoardRow | None]] = []
    alike: dict[tuple[str, ...], list[list[BoardRow | None]]] = {}
    for cells in every:
        row = _first(cells)
        same = (row.kind, row.method, row.variant, row.code_hash, row.selection)
        others = alike.setdefault(same, []) if row.kind == "run" else []
        fits = [o for o in others if not any(a and b for a, b in zip(o, cells, strict=True))]
        if fits:
            fits[0][:] = [a or b for a, b in zip(fits[0], cells, strict=True)]
            continue
        line = list(cells)
        others.append(line)
        lines.append(line)
    return lines


def _first(cells: Sequence[BoardRow | None]) -> BoardRow:
    return next(row for row in cells if row is not None)


def line_key(row: BoardRow) -> tuple[str, ...]:
    """What the rows of one line have in common, whichever table they are of."""
    if row.kind == "claim":
        return ("claim", row.family, row.variant, row.backbone, row.source)
    return ("run", row.key)
