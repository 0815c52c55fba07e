"""Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from harness.export.view import Cell, Column, TableView, Value, one_line, printed

DAGGER = "†"
_DASH = "–"
# A spreadsheet takes a cell that begins so for a formula and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~$&])")


def markdown(view: TableView) -> str:
    """A pipe table; names are escaped, so that they can hold no markup, link or HTML."""
    from tabulate import tabulate

    rows, starts = [], view.starts()
    for n, row in enumerate(view.rows):
        if n in starts:
            rows.append([f"*{escaped_markdown(starts[n])}*", *[""] * (len(view.columns) - 1)])
        rows.append([_markdown_cell(cell, c) for _, (cell, c) in _cells(view, row)])
    sides = ["right" if view.numeric(n) else "left" for n in range(len(view.columns))]
    heads = [escaped_markdown(f"{c.over} {c.title}".strip()) for c in view.columns]
    # tabulate refuses alignments of columns that no row has.
    aligned: dict[str, Any] = {"colalign": sides} if rows else {}
    drawn = tabulate(rows, heads, tablefmt="pipe", disable_numparse=True, **aligned)
    below = map(escaped_markdown, (*view.notes, *view.details))
    parts = [f"**{escaped_markdown(view.title)}**", drawn, *below]
    return "\n\n".join([*parts, f"<!-- inputs sha256 {view.inputs_hash} -->"]) + "\n"


def _cells(view: TableView, row: tuple[Cell, ...]) -> Any:
    return enumerate(zip(row, view.columns, strict=True))


def _markdown_cell(cell: Cell, column: Column) -> str:
    if not isinstance(cell, Value):
        return escaped_markdown(cell) if cell else _DASH
    if not cell.known:
        return _DASH
    text = printed(cell.value, column.digits)
    text = {"best": f"**{text}**", "second": f"<u>{text}</u>"}.get(cell.mark or "", text)
    text += DAGGER if cell.differs else ""
    if cell.spread is not None:
        text += f" ± {printed(cell.spread, column.digits)}"
    if cell.interval is not None:
        low, high = (printed(end, column.digits) for end in cell.interval)
        text += f" [{low}, {high}]"
    return text


def escaped_markdown(text: str) -> str:
    """Text that Markdown prints as it stands: no emphasis, link, HTML, heading or cell border."""
    return _MARKDOWN.sub(r"\\\1", one_line(text))


def as_csv(view: TableView) -> str:
    """Numbers as printed, each spread and interval in columns of its own.

    Title, notes and hash are lines that begin with `#`. Text that a spreadsheet would take for a
    formula (it begins with = + - @, a tab or a line break, also in full width, or after spaces)
    gets an apostrophe in front, which spreadsheets hide; numbers are written by us and need none.
    """
    out = io.StringIO()
    for line in (view.title, *view.notes, *view.details, f"inputs sha256 {view.inputs_hash}"):
        out.write(f"# {one_line(line)}\n")
    writer = csv.writer(out, lineterminator="\n")
    parts = [_csv_parts(view, n) for n in range(len(view.columns))]
    titles = [
        f"{column.name} {part}".strip()
        for column, names in zip(view.columns, parts, strict=True)
        for part in ("", *names)
    ]
    grouped = bool(view.groups)
    writer.writerow([*(["group"] if grouped else []), *map(_safe, titles)])
    for n, row in enumerate(view.rows):
        cells = [_safe(view.groups[n])] if grouped else []
        cells += [
            text
            for place, (cell, column) in _cells(view, row)
            for text in _csv_cells(cell, column, parts[place])
        ]
        writer.writerow(cells)
    return out.getvalue()


def _csv_parts(view: TableView, place: int) -> tuple[str, ...]:
    spread = ("sd",) if view.has(place, "spread") else ()
    ends = ("low", "high") if view.has(place, "interval") else ()
    return (*spread, *ends, *(("p",) if view.has(place, "p") else ()))


def _csv_cells(cell: Cell, column: Column, parts: tuple[str, ...]) -> list[str]:
    if not isinstance(cell, Value):
        return [_safe(cell or ""), *([""] * len(parts))]
    ends = cell.interval or (None, None)
    known = {"sd": cell.spread, "low": ends[0], "high": ends[1]}
    numbers = [cell.value if cell.known else None, *(known[p] for p in parts if p != "p")]
    texts = ["" if n is None else printed(n, column.digits) for n in numbers]
    return [*texts, *(["" if cell.p is None else f"{cell.p:.4g}"] if "p" in parts else [])]


def _safe(text: str) -> str:
    # Looked at before the cleaning too: a leading tab or line break is a formula's beginning.
    risky = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    # A first cell that begins with # would be read as a comment.
    return f"'{one_line(text)}" if risky or text.lstrip().startswith("#") else one_line(text)


def as_json(view: TableView) -> str:
    """Every number whole, with its mark; rows are objects by column name."""
    body = {
        "title": view.title,
        "inputs_hash": view.inputs_hash,
        "columns": [
            {"name": c.name, "title": c.title, "digits": c.digits, "better": c.better}
            | ({"over": c.over} if c.over else {})
            for c in view.columns
        ],
        "rows": [
            {column.name: _json_cell(cell) for _, (cell, column) in _cells(view, row)}
            | ({"group": view.groups[n]} if view.groups else {})
            for n, row in enumerate(view.rows)
        ],
        "notes": list(view.notes),
        **({"details": list(view.details)} if view.details else {}),
    }
    return json.dumps(body, ensure_ascii=False, indent=1) + "\n"


def _json_cell(cell: Cell) -> Any:
    if not isinstance(cell, Value):
        return cell
    if not cell.known:
        return None
    optional = {"sd": cell.spread, "interval": cell.interval, "mark": cell.mark, "p": cell.p}
    return {"value": cell.value, **{k: v for k, v in optional.items() if v is not None}}
