"""The cells of a table: the run that each stands for, and its records that are here already."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from harness.base.errors import HarnessError
from harness.runs.plan import DEFAULT_OUT, DEFAULT_SEED, Ground, Plan, plan_on
from harness.runs.words import run_words
from harness.spec.plugins import Plugins
from harness.spec.resolve import resolve
from harness.tables.plan import Column, Row
from harness.tables.records import Found, Shelf


class Options(NamedTuple):
    """What a command says about every cell.

    Attributes:
        track: official, common or smoke.
        seeds: Those asked for; None shows every seed that is there.
        changes: As after `--set`, for every row.
        out: Where runs are kept.
        device: auto, cpu or cuda.
        plugin: As after `--plugin`.
        processes: By how many one run is made.
    """

    track: str
    seeds: tuple[int, ...] | None = None
    changes: tuple[str, ...] = ()
    out: Path = DEFAULT_OUT
    device: str = "auto"
    plugin: tuple[Path, ...] = ()
    processes: int = 1


@dataclass
class Cell:
    """One row in one column.

    Attributes:
        word: The data set as it was given, None for the embedded one.
        recipe, changes: What `harness run` needs to make this very recipe.
        plan: The run, settled; None where something is in the way.
        problem: What is in the way.
        found: Records by seed.
    """

    row: Row
    column: Column
    word: str | None
    recipe: str
    changes: tuple[str, ...]
    plan: Plan | None = None
    problem: HarnessError | None = None
    found: dict[int, Found] = field(default_factory=dict)

    def missing(self, options: Options) -> tuple[int, ...]:
        """The seeds asked for that have no record made by the code that is installed."""
        if self.plan is None:
            return ()
        wanted = options.seeds
        if wanted is None:
            wanted = () if any(f.current for f in self.found.values()) else (DEFAULT_SEED,)
        return tuple(s for s in wanted if s not in self.found or not self.found[s].current)

    def command(self, options: Options) -> str:
        """What to type to make the missing records."""
        words = run_words(
            self.row.method,
            dataset=self.word,
            protocol=self.column.protocol,
            recipe=self.recipe,
            changes=self.changes,
            seeds=self.missing(options),
            out=options.out,
            device=options.device,
            plugin=options.plugin,
        )
        return shlex.join(["harness", *words])


def make_cell(
    row: Row,
    column: Column,
    ground: Ground,
    word: str | None,
    plugins: Plugins,
    options: Options,
    shelf: Shelf,
) -> Cell:
    """Settle one cell; what is in the way is kept in it and stops no other cell."""
    recipe = row.recipes.of(options.track, column)
    cell = Cell(row, column, word, recipe, (*row.set, *options.changes))
    try:
        info = plugins.method(row.method)
        plan = plan_on(
            ground,
            info,
            recipe=recipe,
            changes=cell.changes,
            out=options.out,
            device=options.device,
        )
        # A recipe may say already what the row sets; the command need not say it again.
        bare = resolve(info, recipe, ground.data.label, ground.protocol.name, options.changes)
        if bare.recipe.hash == plan.resolved.recipe.hash:
            cell.changes = options.changes
        cell.plan = plan
        cell.found = shelf.records(plan, options.seeds)
    except HarnessError as error:
        cell.problem = error
    return cell
