"""A table as text, as neutral views for paper formats, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from harness.base.errors import HarnessError
from harness.base.hashing import digest
from harness.board import one_table
from harness.board.marks import marks_of
from harness.board.view import BOLD
from harness.export import Column, Mark, TableView, Value, number
from harness.export.view import Cell as ViewCell
from harness.spec.method import TEST_TEXT
from harness.spec.text import captions_of
from harness.store import PerQueryValues, Stored
from harness.tables.cells import Cell
from harness.tables.fill import Failure
from harness.tables.table import Here, Panel, Table

_ESTIMATED = "≈"
_NOT_CURRENT = "†"
_SIGNS = (_ESTIMATED, _NOT_CURRENT)
"""What a note begins with that says what a sign in the table means."""
_LONG = 200


class Text(NamedTuple):
    """A panel for a terminal."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str]


def as_text(table: Table, panel: Panel) -> Text:
    """Claims and ours side by side, metric by metric."""
    columns, rows = [""], [[cell.row.label] for cell in panel.cells]
    said = any(panel.claim(cell) for cell in panel.cells)
    for metric in table.plan.metrics:
        if said:
            columns.append(f"{metric} claimed")
            for row, cell in zip(rows, panel.cells, strict=True):
                row.append(_claimed(panel, cell, metric))
        columns.append(f"{metric} ours")
        for row, cell in zip(rows, panel.cells, strict=True):
            row.append(_ours(panel, cell, metric))
        if said and panel.comparable:
            columns.append("difference")
            for row, cell in zip(rows, panel.cells, strict=True):
                row.append(_difference(panel, cell, metric))
    columns.append("seeds")
    for row, cell in zip(rows, panel.cells, strict=True):
        row.append(_seeds(table, cell))
    return Text(_title(panel), columns, rows, notes(table, panel))


def as_view(table: Table, panel: Panel) -> TableView:
    """A panel for Markdown, LaTeX and CSV: first every claim, then every number of ours.

    Bold is not told apart from the best of ours, underlined from the best of the others; claims
    have no interval and are never marked. What a paper's page has no room for is in the details.
    """
    said = any(panel.claim(cell) for cell in panel.cells)
    metrics = table.plan.metrics
    columns = [Column("method", key="label")]
    columns += [Column(f"{m} claimed", better="higher") for m in metrics if said]
    columns += [Column(f"{m} ours", better="higher") for m in metrics]
    if said and panel.comparable:
        columns += [Column(f"{m} difference") for m in metrics]
    marks, said_here = marks_of_panel(panel, metrics), notes(table, panel)
    rows = [_view_row(table, panel, cell, columns, marks) for cell in panel.cells]
    return TableView(
        title=f"{table.plan.title}: {_title(panel)}",
        columns=(*columns, Column("seeds")),
        rows=tuple(rows),
        notes=(*([BOLD] if marks else []), *(n for n in said_here if n.startswith(_SIGNS))),
        inputs_hash=digest(_panel_json(table, panel)),
        label=f"tab:{_plain(table.name)}-{_plain(panel.column.name)}",
        details=(*(n for n in said_here if not n.startswith(_SIGNS)), *table.plan.notes),
    )


def _plain(text: str) -> str:
    """A name as a label can hold it."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text).strip("-")


def _view_row(
    table: Table,
    panel: Panel,
    cell: Cell,
    columns: Sequence[Column],
    marks: Mapping[tuple[str, str], Mark],
) -> tuple[ViewCell, ...]:
    found: list[ViewCell] = [cell.row.label]
    for column in columns[1:]:
        metric, _, kind = column.title.partition(" ")
        mark = None
        if kind == "claimed":
            value, sd = panel.claimed(cell, metric), None
        elif kind == "difference":
            value, sd = panel.difference(cell, metric), None
        else:
            mean = panel.ours(cell, metric)
            value, sd = (None, None) if mean is None else mean
            mark = marks.get((cell.row.label, metric))
        found.append(None if value is None else Value(value, sd, mark=mark))
    return (*found, _seeds(table, cell))


def marks_of_panel(panel: Panel, metrics: Sequence[str]) -> dict[tuple[str, str], Mark]:
    """The marks of our numbers, by the row's label and the metric."""
    found = {f.record.run_id: f for cell in panel.cells for f in cell.found.values()}
    if not found:
        return {}
    board = one_table([Stored(f.record, f.path) for f in found.values()])
    kept = {run_id: PerQueryValues(**dict(f.record.per_query)) for run_id, f in found.items()}
    marks = marks_of(board, lambda ids: {one: kept[one] for one in ids}, metrics)
    rows = {run_id: row.key for row in board.rows for run_id in row.run_ids}
    return {
        (cell.row.label, metric): mark
        for cell in panel.cells
        for metric in metrics
        for run in list(cell.found.values())[:1]
        if (mark := marks.get((rows[run.record.run_id], metric)))
    }


def _title(panel: Panel) -> str:
    """The claimed data set and protocol, and what stands for them here."""
    column = panel.column
    title = column.title or f"{column.dataset}, {column.protocol}"
    if panel.here is None:
        return f"{title} (claims alone)"
    if panel.comparable:
        return title
    return f"{title}; ours on {panel.here.ground.data.label}"


def notes(table: Table, panel: Panel) -> list[str]:
    """What a reader must know: chance, valid queries, what was claimed where, what is missing."""
    found = list(filter(None, [panel.column.note]))
    if panel.here is not None:
        found.append(_ground(table, panel.here))
    if panel.problem is not None:
        found.append(f"Nothing of ours can stand here: {panel.problem.seen}.")
    elif panel.here is None:
        found.append(f"Claims alone: no --dataset is {panel.column.dataset}.")
    found += _told_text(panel)
    claims = [c for cell in panel.cells if (c := panel.claim(cell)) is not None]
    if claims:
        found.append(_claims(table, panel, dict.fromkeys(map(table.source, claims))))
    if any(c.estimated for c in claims):
        found.append(f"{_ESTIMATED} Estimated: measured off a picture of the paper, not printed.")
    if any(not f.current for cell in panel.cells for f in cell.found.values()):
        found.append(
            f"{_NOT_CURRENT} Made by other code or on another device than here now; "
            "harness run would train again."
        )
    for cell in panel.cells:
        if cell.problem is not None:
            found.append(_in_the_way(cell.row.label, cell.problem))
    return found


def _in_the_way(label: str, problem: HarnessError) -> str:
    text = f"No {label}: {problem.seen}"
    # Where every broken plugin is named, a list below a table helps nobody; JSON has all of it.
    return text if len(problem.do) > _LONG else f"{text}; {problem.do}"


def _ground(table: Table, here: Here) -> str:
    data, protocol = here.ground.data, here.ground.protocol
    embedded = ", drawn figures that say nothing about people" if data.card.embedded else ""
    levels = ", ".join(f"{m} {number(here.chance[m])}" for m in table.plan.metrics)
    return (
        f"Ours: {data.label} (data {data.data_hash[:8]}{embedded}), protocol {protocol.name} "
        f"({protocol.hash[:8]}), track {table.options.track}. Chance: {levels}; "
        f"{here.valid_queries} of {here.queries} queries are valid."
    )


def _told_text(panel: Panel) -> list[str]:
    """Which rows of ours see captions, which the others do not."""
    told = {
        cell.row.label: captions_of(cell.plan.data.label)
        for cell in panel.cells
        if cell.plan is not None and cell.plan.data.captioned
    }
    if not told:
        return []
    which = ", ".join(dict.fromkeys(told.values()))
    return [f"{TEST_TEXT}: {', '.join(told)} see captions of the images ({which})."]


def _claims(table: Table, panel: Panel, sources_of: dict[str, None]) -> str:
    sources = "; ".join(filter(None, sources_of)) or "no source is named"
    column = panel.column
    text = f"Claimed on {column.dataset}: {sources}."
    if panel.here is None or panel.comparable:
        return text
    data = panel.here.ground.data
    if data.is_published and data.card.name == column.dataset:
        return f"{text} The protocol differs or is not known, so no difference is taken."
    return f"{text} The data differ ({data.label} here), so no difference is taken."


def _claimed(panel: Panel, cell: Cell, metric: str) -> str:
    value, claim = panel.claimed(cell, metric), panel.claim(cell)
    estimated = claim is not None and claim.estimated and value is not None
    return (_ESTIMATED if estimated else "") + number(value)


def _ours(panel: Panel, cell: Cell, metric: str) -> str:
    mean = panel.ours(cell, metric)
    if mean is None:
        return number(None)
    return number(mean.value) + ("" if mean.sd is None else f" ± {number(mean.sd)}")


def _difference(panel: Panel, cell: Cell, metric: str) -> str:
    value, claim = panel.difference(cell, metric), panel.claim(cell)
    if value is None or claim is None:
        return number(None)
    return (_ESTIMATED if claim.estimated else "") + f"{value:+.2f}"


def _seeds(table: Table, cell: Cell) -> str:
    count, wanted = len(cell.found), table.options.seeds
    mark = _NOT_CURRENT if any(not f.current for f in cell.found.values()) else ""
    if count == 0:
        return number(None)
    return (f"{count} of {len(wanted)}" if wanted and count < len(wanted) else str(count)) + mark


def missing_commands(table: Table) -> list[str]:
    """The command for each missing cell, each once."""
    cells = [c for c in table.cells() if c.missing(table.options)]
    return list(dict.fromkeys(c.command(table.options) for c in cells))


def as_json(table: Table, failures: Sequence[Failure]) -> dict[str, Any]:
    """The contract of `harness table --json`."""
    return {
        "table": table.name,
        "title": table.plan.title,
        "track": table.options.track,
        "metrics": list(table.plan.metrics),
        "panels": [_panel_json(table, panel) for panel in table.panels],
        "missing": missing_commands(table),
        "failed": [
            {"row": f.row, "column": f.column, "seed": f.seed, "error": f.words} for f in failures
        ],
    }


def _panel_json(table: Table, panel: Panel) -> dict[str, Any]:
    here = panel.here
    return {
        "column": panel.column.name,
        "claimed": {"dataset": panel.column.dataset, "protocol": panel.column.protocol},
        "ours": here
        and {
            "dataset": here.ground.data.label,
            "data_hash": here.ground.data.data_hash,
            "embedded": here.ground.data.card.embedded,
            "protocol": here.ground.protocol.name,
            "protocol_hash": here.ground.protocol.hash,
            "chance": here.chance,
            "queries": here.queries,
            "valid_queries": here.valid_queries,
        },
        "comparable": panel.comparable,
        "rows": [_cell_json(table, panel, cell) for cell in panel.cells],
        "notes": notes(table, panel),
    }


def _cell_json(table: Table, panel: Panel, cell: Cell) -> dict[str, Any]:
    claim = panel.claim(cell)
    recipe = None if cell.plan is None else cell.plan.resolved.recipe
    metrics = table.plan.metrics
    ours = {m: mean for m in metrics if (mean := panel.ours(cell, m)) is not None}
    missing = cell.missing(table.options)
    return {
        "label": cell.row.label,
        "method": cell.row.method,
        "recipe": cell.recipe,
        "recipe_hash": recipe and recipe.hash,
        "claim": claim
        and {
            **{m: panel.claimed(cell, m) for m in metrics},
            "source": table.source(claim),
            "estimated": claim.estimated,
        },
        "mean": {m: mean.value for m, mean in ours.items()},
        "sd": {m: mean.sd for m, mean in ours.items()},
        "difference": {m: panel.difference(cell, m) for m in metrics} if panel.comparable else None,
        "seeds": sorted(cell.found),
        "runs": [
            {"seed": seed, "run_id": f.record.run_id, "record": str(f.path), "current": f.current}
            for seed, f in sorted(cell.found.items())
        ],
        "missing_seeds": list(missing),
        "command": cell.command(table.options) if missing else None,
        "problem": cell.problem and cell.problem.as_dict(),
    }
