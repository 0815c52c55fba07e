"""Variants and ablations under their method, with a count, unless the address unfolds them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from harness.board import BoardRow, folded

UNFOLD = "variants"
"""Parameter of the address."""


class Fold(NamedTuple):
    """The rows that are shown, those with something under them named with how much."""

    rows: list[BoardRow]
    hidden: int

    def sentence(self) -> str:
        """What is folded; empty where nothing is."""
        if not self.hidden:
            return ""
        what = "1 variant or ablation is" if self.hidden == 1 else f"{self.hidden} variants are"
        return f"{what} folded under their methods, behind whose names the count stands."


def fold(rows: Sequence[BoardRow], kept: Collection[str] = ()) -> Fold:
    """Fold rows that are filtered and sorted already; their order stays.

    Args:
        rows: Of one table.
        kept: Keys of rows that are shown all the same, such as those that are picked.
    """
    under = {
        one.row.key: [row.key for row in one.under if row.key not in kept] for one in folded(rows)
    }
    hidden = {key for keys in under.values() for key in keys}
    shown = [_counted(row, len(under.get(row.key, ()))) for row in rows if row.key not in hidden]
    return Fold(shown, len(hidden))


def _counted(row: BoardRow, count: int) -> BoardRow:
    return row._replace(title=f"{row.title} (+{count})") if count else row
