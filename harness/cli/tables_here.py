"""The leaderboard's tables, from a store and the published claims, and which of them are meant."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from harness.base.errors import StoreError, UnknownNameError
from harness.base.files import STORE_VARIABLE
from harness.board import BoardTable, PerQuery, board
from harness.board.evaluated import with_evaluations
from harness.cli.named_runs import opened
from harness.export import Cell, TableView, Value, interval
from harness.export.view import printed
from harness.runs.plan import DEFAULT_OUT
from harness.spec.plugins import Plugins, load_plugins
from harness.store import STORE_NAME, Store


class Here(NamedTuple):
    """Everything the leaderboard knows here; ranks are added table by table."""

    store: Store
    plugins: Plugins
    tables: list[BoardTable]
    per_query: PerQuery
    """Each query's outcome in the rows of the tables."""


def tables_here(out: Path) -> Here:
    """The tables of an --out folder or store.

    Raises:
        StoreError: It cannot be opened.
    """
    from harness.claims import load_claims

    store, plugins = _store(out), load_plugins()
    summaries, per_query = with_evaluations(store)
    tables = board(summaries, load_claims(), infos=plugins.methods)
    return Here(store, plugins, tables, per_query)


def _store(out: Path) -> Store:
    """The store; the usual folder need not be there, since there are published numbers to show."""
    if out == DEFAULT_OUT and not out.exists() and not os.environ.get(STORE_VARIABLE):
        return Store(out / STORE_NAME)
    return opened(out)


def in_order(tables: Sequence[BoardTable]) -> list[BoardTable]:
    """Tables with runs first, and of each kind those with most rows."""
    return sorted(tables, key=lambda t: (not t.runs, -len(t.rows), t.title))


def chosen(
    tables: Sequence[BoardTable], dataset: str | None, protocol: str | None
) -> list[BoardTable]:
    """The tables of these names; those of claims only where their data set is named.

    Raises:
        UnknownNameError: No table has such a name.
    """
    found = [t for t in tables if dataset in (None, t.dataset) and protocol in (None, t.protocol)]
    if not found and tables:
        if dataset is not None and all(t.dataset != dataset for t in tables):
            raise UnknownNameError("data set in the store", dataset, {t.dataset for t in tables})
        of = [t for t in tables if dataset in (None, t.dataset)]
        raise UnknownNameError("protocol in the store", protocol or "", {t.protocol for t in of})
    return found if dataset is not None else [t for t in found if t.runs]


def the_table(
    tables: Sequence[BoardTable], dataset: str | None, protocol: str | None
) -> BoardTable:
    """The one table of these names.

    Raises:
        StoreError: There is none, or more than one.
        UnknownNameError: No table has such a name.
    """
    found = chosen(tables, dataset, protocol)
    if len(found) == 1:
        return found[0]
    if not found:
        raise StoreError(
            seen="there are no runs here yet",
            expected="a run to export",
            do="harness run --method ieee; or name another folder with --out",
        )
    listed = "; ".join(t.title for t in found[:8]) + (" ..." if len(found) > 8 else "")
    names = {(t.dataset, t.protocol) for t in found}
    raise StoreError(
        seen=f"{len(found)} tables: {listed}",
        expected="one table: numbers under different hashes do not compare",
        do="choose with --dataset NAME --protocol NAME"
        if len(names) > 1
        else "name the runs of one of them: harness export RUN RUN",
    )


def plain(view: TableView) -> tuple[list[str], list[list[str]]]:
    """Columns and cells of a view for a terminal, narrower than on paper.

    An interval has a column of its own, and only the numbers of such a column show their spread.
    """
    columns: list[str] = []
    cells: list[list[str]] = [[] for _ in view.rows]
    for place, column in enumerate(view.columns):
        columns.append(column.title)
        wide = view.has(place, "interval")
        for row, out in zip(view.rows, cells, strict=True):
            out.append(_plain_cell(row[place], column.digits, wide))
        if wide:
            columns.append("95 % interval")
            for row, out in zip(view.rows, cells, strict=True):
                cell = row[place]
                out.append(interval(cell.interval if isinstance(cell, Value) else None))
    return columns, cells


def _plain_cell(cell: Cell, digits: int, wide: bool) -> str:
    if not isinstance(cell, Value):
        return cell or "–"
    text = printed(cell.value, digits)
    # Without spaces, so that a narrow terminal does not break it.
    if cell.spread is None or not wide:
        return text
    return f"{text}±{printed(cell.spread, digits)}"
