"""A table on paper: Markdown, CSV, JSON and LaTeX from one neutral view."""

from harness.export.plain import escaped_markdown
from harness.export.render import FORMATS, Format, render
from harness.export.view import Cell, Column, Mark, TableView, Value, is_label
from harness.export.words import interval, number

__all__ = [
    "FORMATS",
    "Cell",
    "Column",
    "Format",
    "Mark",
    "TableView",
    "Value",
    "escaped_markdown",
    "interval",
    "is_label",
    "number",
    "render",
]
