"""A table, whole: one panel for each data set and protocol, claims beside what was found here."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.base.errors import HarnessError, PlanError
from harness.data.lint import labels_of
from harness.data.open import open_dataset
from harness.data.opened import OpenDataset
from harness.evidence.record import METRICS
from harness.runs.evaluation import percent
from harness.runs.plan import Ground, prepare
from harness.scoring.chance import chance
from harness.scoring.labels import match_counts
from harness.spec.plugins import Plugins
from harness.tables.cells import Cell, Options, make_cell
from harness.tables.plan import Claimed, Column, TablePlan
from harness.tables.records import Shelf


class Mean(NamedTuple):
    """Over seeds, in percent; the spread of one seed is not known."""

    value: float
    sd: float | None


@dataclass(frozen=True)
class Here:
    """What our numbers of a panel are made on; nothing else may stand in it."""

    ground: Ground
    chance: dict[str, float]
    queries: int
    valid_queries: int


@dataclass(frozen=True)
class Panel:
    """The rows of one column of the plan.

    Attributes:
        here: None where no data set was given for this column, or a problem is in the way.
        comparable: Whether a claim may be set against a number of ours: the published list of the
            claimed data set, under the claimed protocol.
    """

    column: Column
    here: Here | None
    problem: HarnessError | None
    comparable: bool
    cells: tuple[Cell, ...]

    def ours(self, cell: Cell, metric: str) -> Mean | None:
        """The mean over the seeds that are there."""
        values = [f.record.metrics[metric] for f in cell.found.values()]
        if not values:
            return None
        return Mean(statistics.fmean(values), statistics.stdev(values) if values[1:] else None)

    def claim(self, cell: Cell) -> Claimed | None:
        """What the paper says of this cell."""
        return cell.row.claims.get(self.column.name)

    def claimed(self, cell: Cell, metric: str) -> float | None:
        """One number of the claim."""
        claim = self.claim(cell)
        found: float | None = None if claim is None else getattr(claim, metric)
        return found

    def difference(self, cell: Cell, metric: str) -> float | None:
        """Ours less the claim, where the two can be compared at all."""
        ours, said = self.ours(cell, metric), self.claimed(cell, metric)
        if not self.comparable or ours is None or said is None:
            return None
        return ours.value - said


@dataclass(frozen=True)
class Table:
    """A plan with everything that is known for it."""

    name: str
    plan: TablePlan
    options: Options
    panels: tuple[Panel, ...]

    def cells(self) -> list[Cell]:
        """Every cell, panel by panel."""
        return [cell for panel in self.panels for cell in panel.cells]

    def source(self, claim: Claimed) -> str:
        """Where a claim was read."""
        return claim.source or self.plan.source


class Opened(NamedTuple):
    """A data set and the word it was asked for by."""

    word: str | None
    data: OpenDataset


def open_all(words: Sequence[str], plugins: Plugins) -> list[Opened]:
    """Open every data set that was asked for; without one, the embedded set.

    Raises:
        HarnessError: A word that means no data set here.
    """
    if not words:
        return [Opened(None, open_dataset(None, plugins))]
    return [Opened(word, open_dataset(word, plugins)) for word in words]


def build(
    name: str, plan: TablePlan, opened: Sequence[Opened], plugins: Plugins, options: Options
) -> Table:
    """Settle every cell and find what is there for it; nothing is trained.

    Raises:
        PlanError: Two data sets for the same column.
        HarnessError: What is in the way of every single cell.
    """
    chosen = _for_columns(plan, opened)
    shelf = Shelf(options.out, options.processes)
    panels = tuple(_panel(plan, c, chosen[c.name], plugins, options, shelf) for c in plan.columns)
    table = Table(name, plan, options, panels)
    problems = [p.problem for p in panels] + [c.problem for c in table.cells()]
    first = next((p for p in problems if p is not None), None)
    if first is not None and not any(c.plan for c in table.cells()):
        # A mistake in the command, not in one row.
        raise first
    return table


def _for_columns(plan: TablePlan, opened: Sequence[Opened]) -> dict[str, Opened | None]:
    """The data for each column: the set it is about, or one that is about none of them."""
    about = {c.dataset for c in plan.columns}
    found: dict[str, Opened | None] = {}
    for column in plan.columns:
        fits = [o for o in opened if o.data.card.name == column.dataset]
        fits = fits or [o for o in opened if o.data.card.name not in about]
        if len(fits) > 1:
            raise PlanError(
                seen="--dataset "
                + " and --dataset ".join(str(o.word) for o in fits)
                + f" both fit the column {column.name}",
                expected="one data set for each column",
                do="leave one out",
            )
        found[column.name] = fits[0] if fits else None
    return found


def _panel(
    plan: TablePlan,
    column: Column,
    opened: Opened | None,
    plugins: Plugins,
    options: Options,
    shelf: Shelf,
) -> Panel:
    rows = plan.rows_of(column)
    bare = tuple(Cell(r, column, None, "", ()) for r in rows)
    if opened is None:
        return Panel(column, None, None, False, bare)
    try:
        ground = prepare(opened.data, plugins.protocol(column.protocol).name, plugins)
    except HarnessError as error:
        return Panel(column, None, error, False, bare)
    cells = tuple(make_cell(r, column, ground, opened.word, plugins, options, shelf) for r in rows)
    published = ground.data.is_published and ground.data.card.name == column.dataset
    return Panel(column, _here(ground), None, published and column.protocol_of_claims, cells)


def _here(ground: Ground) -> Here:
    protocol = ground.protocol
    query, gallery = (
        labels_of(ground.data.samples(split))
        for split in (protocol.query_split, protocol.gallery_split)
    )
    expected = chance(query, gallery, protocol.filter)
    return Here(
        ground,
        {name: percent(getattr(expected, name)) for name in METRICS},
        len(query),
        int((match_counts(query, gallery, protocol.filter).positives > 0).sum()),
    )
