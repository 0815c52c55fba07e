"""Results on standard output: JSON for programs, tables for people."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.base.hashing import json_text
from harness.evidence.record import METRICS
from harness.export.words import NOTHING, interval, number
from harness.spec.method import Claim

_WIDE = 160
# Narrower, and a column has no room for a word.
_NARROWEST = 40


def emit(value: Mapping[str, Any]) -> None:
    """The one JSON object of a command: UTF-8, or escaped to ASCII where output is not UTF-8."""
    encoding = (sys.stdout.encoding or "utf-8").lower().replace("-", "")
    print(json_text(value) if encoding == "utf8" else json.dumps(value))


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """A table; the first column is left-aligned, numbers are right-aligned."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title or None, box=SIMPLE, title_justify="left", title_style="bold")
    for place, column in enumerate(columns):
        numeric = place > 0 and all(_is_number(row[place]) for row in rows if row[place])
        drawn.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        # Text, not markup: a name may hold square brackets.
        drawn.add_row(*(Text(cell) for cell in row))
    # A pipe has no width; lines there are as long as they must be.
    Console(width=None if sys.stdout.isatty() else _width()).print(drawn)


def _width() -> int:
    """$COLUMNS where it says a width that a table can have, else wide."""
    said = os.environ.get("COLUMNS", "")
    columns = int(said) if said.isascii() and said.isdigit() and len(said) < 6 else 0
    return columns if columns >= _NARROWEST else _WIDE


def _is_number(text: str) -> bool:
    return text == NOTHING or text.lstrip("+-≈")[:1].isdigit()


def fields(pairs: Mapping[str, Any]) -> None:
    """A block of "name: value" lines."""
    width = max(map(len, pairs), default=0)
    for name, value in pairs.items():
        print(f"{name:<{width}}  {value}")


def metric_table(
    metrics: Mapping[str, float],
    intervals: Mapping[str, Sequence[float] | None],
    chance: Mapping[str, float],
    claim: Claim | None = None,
) -> None:
    """mAP, Rank-1/5/10 and mINP with interval, chance and, where there is one, the claim."""
    names = {"R1": "Rank-1", "R5": "Rank-5", "R10": "Rank-10"}
    columns = ["", "%", "95 % interval", "chance"] + (["paper", "difference"] if claim else [])
    rows = []
    for metric in METRICS:
        row = [
            names.get(metric, metric),
            number(metrics[metric]),
            interval(intervals[metric]),
            number(chance[metric]),
        ]
        if claim:
            said = getattr(claim, metric)
            row += [number(said), NOTHING if said is None else f"{metrics[metric] - said:+.2f}"]
        rows.append(row)
    table(columns, rows)


def quoted(word: str) -> str:
    """A word as a person would type it in a shell, whatever its bytes."""
    content = os.fsencode(word)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "$'" + "".join(_typed(byte) for byte in content) + "'"
    return shlex.quote(word)


def _typed(byte: int) -> str:
    plain = 32 <= byte < 127 and chr(byte) not in "'\\"
    return chr(byte) if plain else f"\\x{byte:02x}"


def shown_path(path: Path) -> str:
    """A path as a person would type it from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
