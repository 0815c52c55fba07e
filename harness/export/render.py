"""One view in the format that is asked for."""

from __future__ import annotations

from typing import Literal, get_args

from harness.base.errors import UnknownNameError
from harness.export.latex import latex
from harness.export.plain import as_csv, as_json, markdown
from harness.export.view import TableView

Format = Literal["markdown", "csv", "json", "latex"]
FORMATS: tuple[str, ...] = get_args(Format)


def render(view: TableView, fmt: str) -> str:
    """The table as text that ends in a line break.

    Numbers marked best are bold and those marked second underlined, a dagger follows those that
    are told apart from the baseline; they have the column's digits, a spread over seeds follows ±
    and an interval stands in brackets. The hash of the inputs is a comment, in JSON a field.

    Raises:
        UnknownNameError: No such format.
    """
    writers = {"markdown": markdown, "csv": as_csv, "json": as_json, "latex": latex}
    if fmt not in writers:
        raise UnknownNameError("format", fmt, FORMATS)
    return writers[fmt](view)
