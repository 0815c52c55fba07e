"""Reading a manifest, CSV or JSON, into rows that know their place in it."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter

from harness.base.errors import DataError, LayoutError, UnknownNameError
from harness.base.numbers import LARGEST
from harness.spec.dataset import Range
from harness.spec.modality import MODALITIES

_RANGE: TypeAdapter[Range] = TypeAdapter(Range)

SUFFIXES = {".csv", ".json"}
RANGES = {f"{m}_range": m for m in MODALITIES}
COLUMNS = (*MODALITIES, "pid", "camid", "scene", "split", "name", *RANGES)
_SEPARATORS = (",", ";", "\t")
# As pandas writes a column of whole numbers in which one was missing.
_WHOLE = re.compile(r"([0-9]{1,400})(\.0+)?", re.ASCII)
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
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
        """A whole number from 0 to 2**63 - 1; `3.0` is one.

        Raises:
            DataError: Anything else.
        """
        text = self.values.get(column, "")
        found = _WHOLE.fullmatch(text)
        if found is None or int(found[1]) > LARGEST:
            raise self.wrong(
                f"{column} is {text[:80]!r}",
                f"a whole number from 0 to {LARGEST}",
                "number the identities, cameras and scenes",
            )
        return int(found[1])

    def range(self, column: str) -> Range:
        """LOWEST..HIGHEST, or the word `image`.

        Raises:
            DataError: Anything else.
        """
        text = self.values[column]
        ends = text.split("..")
        try:
            return _RANGE.validate_python("image" if text == "image" else tuple(map(float, ends)))
        except ValueError as error:
            raise self.wrong(
                f"{column} is {text[:80]!r}",
                "LOWEST..HIGHEST, two numbers of which the second is higher, or the word image",
                f"write the values that become black and white, such as 28000..32000, as {column}",
            ) from error

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
        text = _decoded(path.read_bytes())
        rows = _json_rows(text) if path.suffix.lower() == ".json" else _csv_rows(text)
    except (OSError, ValueError, csv.Error) as error:
        raise LayoutError(
            seen=f"{path} cannot be read as a manifest: {error}",
            expected=f"a CSV file with a header, or a JSON list of objects; {_COLUMNS_IN_WORDS}",
            do="see `harness show dataset custom` for an example; save it as UTF-8",
        ) from error
    columns = {column for row in rows for column in row.values}
    if "" in columns:
        raise LayoutError(
            seen=f"{path} has a column without a name",
            expected=_COLUMNS_IN_WORDS,
            do="leave an index out, as frame.to_csv(path, index=False) does",
        )
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


def _decoded(content: bytes) -> str:
    """Text in UTF-8, or as the mark at its beginning says, which Excel writes."""
    encoding = next((word for mark, word in _MARKS.items() if content.startswith(mark)), "utf-8")
    return content.decode(encoding)


def _csv_rows(text: str) -> list[Row]:
    # A spreadsheet separates by what its language leaves free; a header has no comma then.
    head = text.lstrip().split("\n", 1)[0]
    separator = max(_SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
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
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value).strip()
    raise ValueError(f"entry {number}: {key} is {value!r}, not text or a whole number")
