"""A table of the leaderboard for a paper: chosen rows, protocols side by side, and what is sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from harness.base.errors import UnknownNameError
from harness.base.hashing import digest
from harness.board.lines import Line, lines_of
from harness.board.marks import Marks, against, marks_of
from harness.board.rows import BoardRow, BoardTable, PerQuery
from harness.board.view import inputs_hash
from harness.evidence.record import METRICS
from harness.export import Cell, Column, TableView, Value

By = Literal["", "backbone", "year"]
GROUPS: tuple[str, ...] = tuple(word for word in get_args(By) if word)
_USUAL = ("mAP", "R1", "R5", "R10")
_TITLES = {"R1": "R-1", "R5": "R-5", "R10": "R-10"}


class Asked(NamedTuple):
    """What an author asks of a table; nothing asked shows everything.

    Attributes:
        rows: Each a row's key, the beginning of a run's id, or a claim's id, in the order wanted;
            all rows, best first, where empty.
        metrics: Columns of each protocol.
        by: What rows are grouped by.
        baseline: One of the rows, as above, that others are held against.
        caption, label: Of the table; without a caption, data set and protocols.
        digits: After the point.
    """

    rows: tuple[str, ...] = ()
    metrics: tuple[str, ...] = _USUAL
    by: By = ""
    baseline: str = ""
    caption: str = ""
    label: str = ""
    digits: int = 1


def paper_view(tables: Sequence[BoardTable], per_query: PerQuery, asked: Asked) -> TableView:
    """The table, ready to be rendered; bold, underlined and daggers come from comparisons alone.

    Args:
        tables: One for each protocol, from left to right.
        per_query: As `Store.per_query`.
        asked: What is shown of them, and how.

    Raises:
        UnknownNameError: No such row, metric or group; says the nearest.
    """
    _require_known(asked)
    lines = _grouped(chosen_lines(tables, asked.rows), asked.by)
    base = _chosen(lines, (asked.baseline,))[0] if asked.baseline else None
    cells = [_column(tables, n, lines, base, per_query, asked) for n in range(len(tables))]
    columns = [Column("Method", key="method")]
    for table in tables:
        over = _over(table, tables)
        columns += [_head(metric, over, asked.digits) for metric in asked.metrics]
    rows = tuple(
        (line.title, *(cell for column in cells for cell in column[n]))
        for n, line in enumerate(lines)
    )
    return TableView(
        title=asked.caption or _caption(tables),
        columns=tuple(columns),
        rows=rows,
        notes=_notes(lines, base),
        inputs_hash=_hash(tables, lines, asked),
        groups=tuple(_group(line, asked.by) for line in lines) if asked.by else (),
        label=asked.label,
        details=_details(tables, lines, base),
    )


def _require_known(asked: Asked) -> None:
    for metric in asked.metrics:
        if metric not in METRICS:
            raise UnknownNameError("metric", metric, METRICS)
    if asked.by and asked.by not in GROUPS:
        raise UnknownNameError("group", asked.by, GROUPS)


def chosen_lines(tables: Sequence[BoardTable], words: Sequence[str]) -> list[Line]:
    """The lines that words mean, in their order; all where there are no words.

    Raises:
        UnknownNameError: A word that means none.
    """
    return _chosen(lines_of(tables), words)


def _chosen(lines: Sequence[Line], words: Sequence[str]) -> list[Line]:
    if not words:
        return list(lines)
    found = []
    for word in words:
        fits = [line for line in lines if _is_meant(line, word)]
        if not fits:
            error = UnknownNameError("row", word, [n for line in lines for n in _names(line)])
            # There are hundreds.
            error.expected = f"a run's id, a claim's id or the name of one of {len(lines)} rows"
            if error.nearest is None:
                error.do = "harness list runs, harness claims list and --format json say the ids"
            raise error
        found += [line for line in fits if line not in found]
    return found


def _is_meant(line: Line, word: str) -> bool:
    ids = (run_id for row in line.rows if row for run_id in row.run_ids)
    return word in _names(line) or (bool(word) and any(one.startswith(word) for one in ids))


def _names(line: Line) -> list[str]:
    return [line.title, *(row.key for row in line.rows if row)]


def _grouped(lines: Sequence[Line], by: By) -> list[Line]:
    """Lines of a group beside each other: years upwards, backbones as they come."""
    if not by:
        return list(lines)
    names = list(dict.fromkeys(_group(line, by) for line in lines))
    if by == "year":
        names.sort()
    return sorted(lines, key=lambda line: names.index(_group(line, by)))


def _group(line: Line, by: By) -> str:
    row = line.first
    return (row.backbone if by == "backbone" else str(row.year or "")) or f"{by} not said"


def _column(
    tables: Sequence[BoardTable],
    place: int,
    lines: Sequence[Line],
    base: Line | None,
    per_query: PerQuery,
    asked: Asked,
) -> list[list[Cell]]:
    """The cells of one table, line by line."""
    shown = [row for line in lines if (row := line.rows[place])]
    table = tables[place]._replace(rows=tuple(shown))
    marks = marks_of(table, per_query, asked.metrics)
    row = None if base is None else base.rows[place]
    ps = {} if row is None else against(table, row, per_query, asked.metrics)
    return [[_cell(line.rows[place], m, marks, ps) for m in asked.metrics] for line in lines]


def _cell(
    row: BoardRow | None, metric: str, marks: Marks, ps: Mapping[tuple[str, str], float]
) -> Cell:
    if row is None or metric not in row.metrics:
        return None
    key = (row.key, metric)
    spread = None if row.spread is None else row.spread[metric]
    return Value(row.metrics[metric], spread, mark=marks.get(key), p=ps.get(key))


def _head(metric: str, over: str, digits: int) -> Column:
    key = f"{over} {metric}".strip()
    return Column(_TITLES.get(metric, metric), digits, "higher", key=key, over=over)


def _over(table: BoardTable, tables: Sequence[BoardTable]) -> str:
    if len(tables) == 1:
        return ""
    alone = len({one.dataset for one in tables}) == 1
    return table.protocol if alone else f"{table.dataset} {table.protocol}"


def _caption(tables: Sequence[BoardTable]) -> str:
    datasets = ", ".join(dict.fromkeys(table.dataset for table in tables))
    if len(tables) > 1:
        return f"{datasets}, in percent."
    return f"{datasets}, protocol {tables[0].protocol}, in percent."


def _notes(lines: Sequence[Line], base: Line | None) -> tuple[str, ...]:
    rows = [row for line in lines for row in line.rows if row]
    found = []
    if any(row.kind == "run" for row in rows):
        found.append("Bold: not told apart from the best; underlined: from the best of the others.")
        if any(row.kind == "claim" for row in rows):
            found.append("Numbers of papers are not compared.")
    if any(row.spread for row in rows):
        found.append("± is the standard deviation over seeds.")
    if base is not None:
        found.append(f"† differs from {base.title} (p < 0.05, Holm).")
    return (" ".join(found),) if found else ()


def _details(
    tables: Sequence[BoardTable], lines: Sequence[Line], base: Line | None
) -> tuple[str, ...]:
    """What a reader of the file must know, and the page has no room for."""
    found = []
    for table in tables:
        chance = ", ".join(f"{m} {v:.2f}" for m, v in table.chance.items())
        queries = f"{table.valid_queries} valid of {table.queries} queries"
        found.append(f"{table.title}" + (f": chance {chance}; {queries}" if chance else ""))
    found.append(
        "compared by paired differences that resample identities (and seeds, where a row has "
        "several), at 95 %; bold and underlined are not corrected for the number of rows"
    )
    if base is not None:
        found.append(f"p against {base.title}: Holm over the rows of each column")
    for line in lines:
        row = line.first
        ids = dict.fromkeys(one for cell in line.rows if cell for one in cell.run_ids)
        where = f"runs {' '.join(ids)}" if ids else f"claimed, {row.source} {row.source_url}"
        tags = f" [{', '.join(row.tags)}]" if row.tags else ""
        found.append(f"{line.title}: {where}{tags}; {row.trust}")
    return tuple(found)


def _hash(tables: Sequence[BoardTable], lines: Sequence[Line], asked: Asked) -> str:
    if len(tables) == 1 and not asked.rows:
        return inputs_hash(tables[0])
    rows = [row.key for line in lines for row in line.rows if row]
    return digest([[inputs_hash(table) for table in tables], rows])
