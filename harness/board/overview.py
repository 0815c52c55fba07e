"""One data set on one table: every method under every protocol of a group, with their means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from harness.board.clean import is_second_hand
from harness.board.lines import joined, line_key
from harness.board.rows import BoardRow, BoardTable
from harness.export import number

MISSING = ("-RGB", "-NI", "-TI", "-RGB-NI", "-RGB-TI", "-NI-TI")
"""Modalities that are absent at test, as TOP-ReID and DeMo print them."""
CROSS = ("RGB>NI", "RGB>TI", "NI>RGB", "NI>TI", "TI>RGB", "TI>NI")
"""One modality finds another."""
GROUPS = {"full": ("full",), "missing": MISSING, "cross": CROSS}


class Cell(NamedTuple):
    """One number of the overview."""

    value: float
    row: BoardRow
    protocol: str


class OverviewRow(NamedTuple):
    """A method's claims of one source, or a row of runs, over the protocols."""

    kind: str
    """`run` or `claim`."""
    name: str
    detail: str
    """The source of claims; recipe and seeds of runs."""
    year: int | None
    cells: dict[str, Cell]
    means: dict[str, float]
    """Of each group that the row has whole, by the group's name; the others have none."""


class Overview(NamedTuple):
    """A data set's methods by protocols, those with most numbers first."""

    dataset: str
    metric: str
    protocols: tuple[str, ...]
    rows: tuple[OverviewRow, ...]


def overview(tables: Iterable[BoardTable], dataset: str, metric: str = "mAP") -> Overview:
    """Every method under the protocols of `GROUPS`, on one data set.

    A run's numbers under several protocols are one row where they are on the same data, byte by
    byte, and of one training, or of trainings with the same changes by the same code; published
    numbers are one where method, variant, backbone and source are. Where a source prints a number
    twice, the higher one of its own authors stands.

    Args:
        tables: As `board` makes them.
        dataset: The data set's label.
        metric: In percent.
    """
    listed = [protocol for group in GROUPS.values() for protocol in group]
    lines: dict[tuple[str, ...], dict[str, Cell]] = {}
    for table in tables:
        if table.dataset != dataset or table.protocol not in listed:
            continue
        for row in table.rows:
            if metric in row.metrics:
                cell = Cell(row.metrics[metric], row, table.protocol)
                data_hash = table.data_hash if row.kind == "run" else ""
                cells = lines.setdefault((data_hash, *line_key(row)), {})
                old = cells.get(table.protocol)
                if old is None or _standing(cell) > _standing(old):
                    cells[table.protocol] = cell
    protocols = tuple(p for p in listed if any(p in cells for cells in lines.values()))
    rows = [_row(cells) for cells in _of_one_making(lines, protocols, metric)]
    rows.sort(key=lambda r: (-len(r.means), -len(r.cells), -_first(r, protocols), r.name))
    return Overview(dataset, metric, protocols, tuple(rows))


def datasets_of(tables: Iterable[BoardTable]) -> list[str]:
    """The data sets that have an overview, those with most protocols, then most numbers, first."""
    listed = {protocol for group in GROUPS.values() for protocol in group}
    found: dict[str, dict[str, int]] = {}
    for table in tables:
        if table.protocol in listed:
            rows = found.setdefault(table.dataset, {})
            rows[table.protocol] = rows.get(table.protocol, 0) + len(table.rows)
    return sorted(found, key=lambda name: (-len(found[name]), -sum(found[name].values()), name))


def group_means(values: dict[str, float]) -> dict[str, float]:
    """The mean over each group of more than one protocol; only over groups that are whole."""
    return {
        name: fmean(values[p] for p in group)
        for name, group in GROUPS.items()
        if len(group) > 1 and all(p in values for p in group)
    }


def overview_text(found: Overview) -> tuple[list[str], list[list[str]]]:
    """Columns and cells for a terminal: the mean of a group stands after its protocols, and a word
    says what is printed in italics elsewhere."""
    columns, keys = ["method", "from"], []
    for name, group in GROUPS.items():
        here = [protocol for protocol in group if protocol in found.protocols]
        columns += here
        keys += here
        if len(group) > 1 and here:
            columns.append(f"mean of {name}")
            keys.append(name)
    rows = []
    for row in found.rows:
        values = {p: cell.value for p, cell in row.cells.items()} | row.means
        origin = "paper" if row.kind == "claim" else "run"
        rows.append([row.name, origin, *(number(values.get(key)) for key in keys)])
    return columns, rows


def _of_one_making(
    lines: Mapping[tuple[str, ...], Mapping[str, Cell]], protocols: Sequence[str], metric: str
) -> list[dict[str, Cell]]:
    """The lines, trainings for a protocol each put together; never over different data."""
    by_data: dict[str, list[list[BoardRow | None]]] = {}
    for (data_hash, *_), cells in lines.items():
        rows = [cells[p].row if p in cells else None for p in protocols]
        by_data.setdefault(data_hash, []).append(rows)
    return [
        {
            protocol: Cell(row.metrics[metric], row, protocol)
            for protocol, row in zip(protocols, rows, strict=True)
            if row is not None
        }
        for some in by_data.values()
        for rows in joined(some)
    ]


def _standing(cell: Cell) -> tuple[bool, float]:
    return not is_second_hand(cell.row), cell.value


def _row(cells: dict[str, Cell]) -> OverviewRow:
    row = next(iter(cells.values())).row
    seeds = f"{len(row.seeds)} seeds" if len(row.seeds) > 1 else "1 seed"
    return OverviewRow(
        kind=row.kind,
        name=row.title,
        detail=row.source if row.kind == "claim" else ", ".join(filter(None, (row.recipe, seeds))),
        year=row.year,
        cells=cells,
        means=group_means({protocol: cell.value for protocol, cell in cells.items()}),
    )


def _first(row: OverviewRow, protocols: Sequence[str]) -> float:
    return next((row.cells[p].value for p in protocols if p in row.cells), 0.0)
