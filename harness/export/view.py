"""What a table says, before any format: columns, cells, notes and the hash of its inputs."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

Better = Literal["higher", "lower"]
Mark = Literal["best", "second"]
_HASH = re.compile(r"[0-9a-f]{8,64}")


class Value(NamedTuple):
    """A number with what is known of its uncertainty; NaN prints as a dash."""

    value: float
    spread: float | None = None
    """Standard deviation over seeds."""
    interval: tuple[float, float] | None = None
    """Lower and upper end."""
    ranked: bool = True
    """False keeps it out of the marks, such as the chance level in a row of its own."""

    @property
    def known(self) -> bool:
        """Whether there is a number to print."""
        return math.isfinite(self.value)


Cell = str | Value | None
"""Text, a number, or nothing (a dash)."""


class Column(NamedTuple):
    """One column; `better` says which end of it is marked, None marks nothing."""

    title: str
    digits: int = 2
    better: Better | None = None
    key: str = ""
    """Its name for programs; the title where empty."""

    @property
    def name(self) -> str:
        """The key, or the title."""
        return self.key or self.title


@dataclass(frozen=True)
class TableView:
    """A table, ready for `harness.export.render`.

    Args:
        title: Its caption, without markup.
        columns: From left to right; their names differ.
        rows: From top to bottom, each as many cells as there are columns.
        notes: Sentences below it, without markup.
        inputs_hash: Of everything the numbers come from, 8 to 64 hexadecimal digits.

    Raises:
        ValueError: A row of another length, a column named twice, or no such hash.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...]
    inputs_hash: str

    def __post_init__(self) -> None:
        """Refuse what no format can print."""
        wrong = [n for n, row in enumerate(self.rows) if len(row) != len(self.columns)]
        if wrong:
            raise ValueError(f"row {wrong[0]} has not {len(self.columns)} cells")
        if len({c.name for c in self.columns}) != len(self.columns):
            raise ValueError(f"a column is named twice: {[c.name for c in self.columns]}")
        # It goes into comments, where a line break would end them.
        if not _HASH.fullmatch(self.inputs_hash):
            raise ValueError(f"{self.inputs_hash!r} is no hash")

    def has(self, place: int, part: Literal["spread", "interval"]) -> bool:
        """Whether any number of the column has a spread or an interval."""
        cells = (row[place] for row in self.rows)
        return any(isinstance(c, Value) and getattr(c, part) is not None for c in cells)

    def numeric(self, place: int) -> bool:
        """Whether the column holds numbers and nothing else but gaps."""
        cells = [row[place] for row in self.rows if row[place] is not None]
        return bool(cells) and all(isinstance(cell, Value) for cell in cells)


def printed(number: float, digits: int) -> str:
    """A number as every format shows it; a zero has no sign."""
    text = f"{number:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def marks(view: TableView) -> dict[tuple[int, int], Mark]:
    """The cells (row, column) that are best and second best of their column.

    Numbers that print alike are equal: all best ones are marked, and all second ones. A column with
    fewer than two numbers, or with equal numbers only, has no marks, since nothing in it is better.
    """
    found: dict[tuple[int, int], Mark] = {}
    for place, column in enumerate(view.columns):
        if column.better is None:
            continue
        shown = {
            number: float(printed(cell.value, column.digits))
            for number, row in enumerate(view.rows)
            if isinstance(cell := row[place], Value) and cell.known and cell.ranked
        }
        order = sorted(set(shown.values()), reverse=column.better == "higher")
        if len(order) < 2:
            continue
        names: dict[float, Mark] = {order[0]: "best", order[1]: "second"}
        found |= {(n, place): names[v] for n, v in shown.items() if v in names}
    return found


def one_line(text: str) -> str:
    """Text without line breaks and control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
