"""Reading a manifest, CSV or JSON, into rows that know their place in it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import NamedTuple

from harness.base.errors import DataError, LayoutError, UnknownNameError
from harness.spec.modality import MODALITIES

SUFFIXES = {".csv", ".json"}
COLUMNS = (*MODALITIES, "pid", "camid", "scene", "split", "name")
_COLUMNS_IN_WORDS = (
    f"columns of: {', '.join(COLUMNS)}; pid and one of {', '.join(MODALITIES)} at least"
)


class Row(NamedTuple):
    """One line of a CSV file, or one entry of a JSON list."""

    place: str
    """Where it is, such as "line 3" (the header is line 1) or "entry 2"."""
    values: dict[str, str]
    """Every column there is; text without spaces around it, empty where nothing is said."""

    def number(self, column: str) -> int:
        """A whole number from 0.

        Raises:
            DataError: Anything else.
        """
        text = self.values.get(column, "")
        if not (text.isascii() and text.isdigit()):
            raise self.wrong(
                f"{column} is {text!r}",
                "a whole number from 0",
                "number the identities, cameras and scenes",
            )
        return int(text)

    def wrong(self, seen: str, expected: str, do: str) -> DataError:
        """An error that says where the row is."""
        return DataError(f"{self.place}: {seen}", expected, do)


def read_rows(path: Path) -> list[Row]:
    """All rows of a manifest.

    Raises:
        LayoutError: No such file, not CSV or JSON, no rows, or a column that is missing.
        UnknownNameError: A column of another name; says the nearest.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        rows = _json_rows(text) if path.suffix.lower() == ".json" else _csv_rows(text)
    except (OSError, ValueError, csv.Error) as error:
        raise LayoutError(
            seen=f"{path} cannot be read as a manifest: {error}",
            expected=f"a CSV file with a header, or a JSON list of objects; {_COLUMNS_IN_WORDS}",
            do="see `harness show dataset custom` for an example; save it as UTF-8",
        ) from error
    columns = {column for row in rows for column in row.values}
    for column in sorted(columns - set(COLUMNS)):
        raise UnknownNameError(f"column of {path.name}", column, COLUMNS)
    if not rows or "pid" not in columns or not columns & set(MODALITIES):
        raise LayoutError(
            seen=f"{path} has {len(rows)} rows with the columns {', '.join(sorted(columns))}"
            if rows
            else f"{path} has no rows",
            expected=_COLUMNS_IN_WORDS,
            do="write a row for each sample: harness show dataset custom",
        )
    return rows


def _csv_rows(text: str) -> list[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [column.strip() for column in next(reader, [])]
    if len(set(header)) < len(header):
        raise ValueError(f"the header names a column twice: {', '.join(header)}")
    rows = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise ValueError(
                f"line {reader.line_num} has {len(cells)} cells, the header {len(header)}"
            )
        values = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        rows.append(Row(f"line {reader.line_num}", values))
    return rows


def _json_rows(text: str) -> list[Row]:
    found = json.loads(text)
    if not isinstance(found, list):
        raise ValueError(f"it holds a {type(found).__name__}, not a list")
    rows = []
    for number, entry in enumerate(found, start=1):
        if not isinstance(entry, dict):
            raise ValueError(f"entry {number} is a {type(entry).__name__}, not an object")
        rows.append(Row(f"entry {number}", {k: _text(v, number, k) for k, v in entry.items()}))
    return rows


def _text(value: object, number: int, key: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value).strip()
    raise ValueError(f"entry {number}: {key} is {value!r}, not text or a whole number")
