"""A paper's table as HTML, near to what LaTeX will set.

Every text goes through a template that escapes it: a record or a claim may hold any characters.
"""

from __future__ import annotations

from itertools import groupby

from jinja2 import Environment

from harness.export import Cell, Column, TableView, Value
from harness.export.view import printed

_TABLE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
    """\
<div style="overflow-x: auto" tabindex="0" role="region" aria-label="{{ view.title }}">
<table style="border-collapse: collapse; font-family: serif; white-space: nowrap">
<caption style="text-align: left; padding: 0.3rem 0.6rem; white-space: normal">\
{{ view.title }}</caption>
<thead style="border-top: 2px solid; border-bottom: 1px solid">
{% if heads %}
<tr>{% for words, span in heads %}<th colspan="{{ span }}" style="{{ cell }} text-align: center">\
{{ words }}</th>{% endfor %}</tr>
{% endif %}
<tr>{% for column in view.columns %}<th scope="col" style="{{ cell }} text-align: \
{{ 'right' if column.better else 'left' }}">{{ column.title }}</th>{% endfor %}</tr>
</thead>
<tbody style="border-bottom: 2px solid">
{% for group, cells in rows %}
{% if group %}
<tr><th colspan="{{ view.columns | length }}" scope="rowgroup" style="{{ cell }} text-align: left; \
font-style: italic; font-weight: normal">{{ group }}</th></tr>
{% endif %}
<tr>{% for text, style in cells %}<td style="{{ cell }} {{ style }}">{{ text }}</td>\
{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
{% for note in view.notes %}<div style="{{ cell }} font-size: 0.85rem">{{ note }}</div>{% endfor %}
</div>
"""
)
_CELL = "padding: 0.15rem 0.6rem;"
_MARKS = {"best": "font-weight: 700;", "second": "text-decoration: underline;"}


def preview_html(view: TableView) -> str:
    """Bold, underlined and daggers stand where they stand in the LaTeX of the same view."""
    starts = view.starts() if view.groups else {}
    heads = [(over, len(list(some))) for over, some in groupby(view.columns, key=lambda c: c.over)]
    rows = [
        (starts.get(n), [_cell(*pair) for pair in zip(row, view.columns, strict=True)])
        for n, row in enumerate(view.rows)
    ]
    shown = heads if any(over for over, _ in heads) else []
    return _TABLE.render(view=view, heads=shown, rows=rows, cell=_CELL)


def _cell(cell: Cell, column: Column) -> tuple[str, str]:
    """Its text and how it looks."""
    if not isinstance(cell, Value):
        return cell or "–", ""
    if not cell.known:
        return "–", "text-align: right;"
    text = printed(cell.value, column.digits) + ("†" if cell.differs else "")
    if cell.spread is not None:
        text += f" ± {printed(cell.spread, column.digits)}"
    return text, "text-align: right;" + _MARKS.get(cell.mark or "", "")
