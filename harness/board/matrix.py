"""One data set on one table: every method under every protocol of a group, with their means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import NamedTuple

from harness.board.clean import is_second_hand
from harness.board.rows import BoardRow, BoardTable

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

    A run's numbers under several protocols are one row where method, recipe and code are the same;
    published numbers are one where method, variant, backbone and source are. Where a source prints
    a number twice, the higher one of its own authors stands.

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
                cells = lines.setdefault(_line_of(row, table), {})
                old = cells.get(table.protocol)
                if old is None or _standing(cell) > _standing(old):
                    cells[table.protocol] = cell
    protocols = tuple(p for p in listed if any(p in cells for cells in lines.values()))
    rows = [_row(cells) for cells in lines.values()]
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


def _line_of(row: BoardRow, table: BoardTable) -> tuple[str, ...]:
    if row.kind == "claim":
        return "claim", row.title, row.backbone, row.source
    return "run", row.method, row.key, table.data_hash


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
