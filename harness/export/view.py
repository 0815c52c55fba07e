"""What a table says, before any format: columns, cells, notes and the hash of its inputs."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

Better = Literal["higher", "lower"]
Mark = Literal["best", "second"]
SURE = 0.05
_LABEL = re.compile(r"[A-Za-z0-9:._-]*")
_HASH = re.compile(r"[0-9a-f]{8,64}")


class Value(NamedTuple):
    """A number with what is known of its uncertainty; NaN prints as a dash."""

    value: float
    spread: float | None = None
    """Standard deviation over seeds."""
    interval: tuple[float, float] | None = None
    """Lower and upper end."""
    mark: Mark | None = None
    """`best` is bold, `second` underlined; whoever compared the rows says so, no format does."""
    p: float | None = None
    """Of the difference from the table's baseline, corrected; a dagger below `SURE`."""

    @property
    def known(self) -> bool:
        """Whether there is a number to print."""
        return math.isfinite(self.value)

    @property
    def differs(self) -> bool:
        """Whether it is told apart from the table's baseline."""
        return self.p is not None and self.p < SURE


Cell = str | Value | None
"""Text, a number, or nothing (a dash)."""


class Column(NamedTuple):
    """One column."""

    title: str
    digits: int = 2
    better: Better | None = None
    """Which end of it is the better one, for programs; None where neither is."""
    key: str = ""
    """Its name for programs; the title where empty."""
    over: str = ""
    """What it has in common with its neighbours of the same word, such as a protocol."""

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
        groups: Of each row, the group it is printed under; empty where there are none.
        label: What LaTeX refers to it by: letters, digits, `:._-`.
        details: Sentences that a paper's page has no room for: comments in LaTeX.

    Raises:
        ValueError: A row of another length, a column named twice, no such hash or label, or not as
            many groups as rows.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...]
    inputs_hash: str
    groups: tuple[str, ...] = ()
    label: str = ""
    details: tuple[str, ...] = ()

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
        if not is_label(self.label):
            raise ValueError(f"{self.label!r} is no label")
        if self.groups and len(self.groups) != len(self.rows):
            raise ValueError(f"{len(self.groups)} groups for {len(self.rows)} rows")

    def has(self, place: int, part: Literal["spread", "interval", "p"]) -> bool:
        """Whether any number of the column has a spread, an interval or a p."""
        cells = (row[place] for row in self.rows)
        return any(isinstance(c, Value) and getattr(c, part) is not None for c in cells)

    def starts(self) -> dict[int, str]:
        """The rows before which a group begins, with its name."""
        pairs = zip(self.groups, ("", *self.groups), strict=False)
        return {n: name for n, (name, before) in enumerate(pairs) if name != before or n == 0}

    def numeric(self, place: int) -> bool:
        """Whether the column holds numbers and nothing else but gaps."""
        cells = [row[place] for row in self.rows if row[place] is not None]
        return bool(cells) and all(isinstance(cell, Value) for cell in cells)


def is_label(text: str) -> bool:
    """Whether a text can be a table's label: nothing in it is more to LaTeX than a letter."""
    return _LABEL.fullmatch(text) is not None


def printed(number: float, digits: int) -> str:
    """A number as every format shows it; a zero has no sign."""
    text = f"{number:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def one_line(text: str) -> str:
    """Text without line breaks and control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
