"""Numbers in words, the same in every table for people."""

from __future__ import annotations

from collections.abc import Sequence

NOTHING = "–"


def number(value: float | None) -> str:
    """Percent with two digits, or a dash."""
    return NOTHING if value is None else f"{value:.2f}"


def interval(ends: Sequence[float] | None) -> str:
    """A 95 % interval in brackets, or a dash."""
    return NOTHING if ends is None else f"{ends[0]:.2f} to {ends[1]:.2f}"
