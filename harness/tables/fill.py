"""Filling a table: every missing run, one after the other, whatever becomes of the others."""

from __future__ import annotations

import traceback
from typing import NamedTuple

from harness.base.errors import HarnessError
from harness.base.progress import say
from harness.runs.run import execute
from harness.tables.cells import Cell
from harness.tables.table import Table


class Failure(NamedTuple):
    """A run that did not end in a record."""

    row: str
    column: str
    seed: int
    error: Exception

    @property
    def exit_code(self) -> int:
        """2 for what a person can mend, 1 for a mistake in code."""
        return self.error.exit_code if isinstance(self.error, HarnessError) else 1

    @property
    def words(self) -> str:
        """The error in one line."""
        if isinstance(self.error, HarnessError):
            return self.error.seen
        return traceback.format_exception_only(self.error)[-1].strip()


def fill(table: Table) -> list[Failure]:
    """Make every missing record; a run that fails stops no other one.

    What is there already is left alone, and a run that was cut off goes on where it was. Two cells
    of the same recipe, data and protocol are one run.
    """
    wanted = _wanted(table)
    say(f"{len(wanted)} runs are missing" if wanted else "no run is missing")
    failures = []
    for number, (cell, seed) in enumerate(wanted, 1):
        place = f"{cell.row.label}, {cell.column.title or cell.column.name}, seed {seed}"
        say(f"[{number}/{len(wanted)}] {place}")
        assert cell.plan is not None
        try:
            execute(cell.plan, seed)
        except Exception as error:
            # The next cells are other methods on other data: they may well work.
            failures.append(Failure(cell.row.label, cell.column.name, seed, error))
            say(f"failed: {failures[-1].words}")
    return failures


def _wanted(table: Table) -> list[tuple[Cell, int]]:
    found: dict[tuple[str, str, int], tuple[Cell, int]] = {}
    for cell in table.cells():
        for seed in cell.missing(table.options):
            assert cell.plan is not None
            key = (cell.plan.resolved.recipe.hash, cell.plan.data.data_hash, seed)
            found.setdefault(key, (cell, seed))
    return list(found.values())
