"""The runs of a sweep, settled: which are done, which are to do, and what stands in the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from harness.base.errors import HarnessError
from harness.data.open import open_dataset
from harness.data.opened import OpenDataset
from harness.runs.plan import Ground, Plan, plan_on, prepare
from harness.runs.words import run_words
from harness.spec.plugins import Plugins
from harness.sweeps.plan import Wanted
from harness.sweeps.run import SweepRun
from harness.tables.records import Shelf
from harness.tables.table import Table

_T = TypeVar("_T")


class Problem(NamedTuple):
    """Why a run cannot be started, and how many runs it is about."""

    run: str
    runs: int
    error: HarnessError


@dataclass
class Settled:
    """Every run of a sweep that can be made, and what is in the way of the others."""

    runs: dict[str, SweepRun] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    """By the run's id."""
    done: set[str] = field(default_factory=set)
    """Ids of runs that `harness run` would find finished."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def missing(self) -> list[SweepRun]:
        """Those to do."""
        return [run for run in self.runs.values() if run.id not in self.done]


class Where(NamedTuple):
    """What a command says about every run.

    Attributes:
        out: Where runs are kept.
        device: auto, cpu or cuda.
        plugin: As after `--plugin`.
        processes: By how many one run is made.
    """

    out: Path
    device: str
    plugin: tuple[Path, ...]
    processes: int


def settle(wanted: Sequence[Wanted], plugins: Plugins, where: Where) -> Settled:
    """Check every run before any is started; what is wrong is gathered, not raised."""
    found, shelf = Settled(), Shelf(where.out, where.processes)
    grounds = _Grounds(plugins)
    planned: dict[Wanted, Plan | HarnessError] = {}
    failed: dict[str, list[Wanted]] = {}
    for one in wanted:
        # Seeds differ in nothing that is checked.
        key = one._replace(seed=0)
        if key not in planned:
            planned[key] = _planned(one, plugins, grounds, where)
        plan = planned[key]
        if isinstance(plan, HarnessError):
            failed.setdefault(str(plan), []).append(one)
        else:
            _add(found, plan, one, where)
    errors = {str(e): e for e in planned.values() if isinstance(e, HarnessError)}
    found.problems = [Problem(str(ones[0]), len(ones), errors[e]) for e, ones in failed.items()]
    _look_for_done(found, shelf)
    return _labelled(found)


def settle_table(table: Table, where: Where) -> Settled:
    """The runs that a table wants, missing or not; those of cells that cannot be are left out."""
    found = Settled()
    for cell in table.cells():
        if cell.problem is not None:
            place = f"{cell.row.label}, {cell.column.name}"
            found.problems.append(Problem(place, 1, cell.problem))
        if cell.plan is None:
            continue
        missing = cell.missing(table.options)
        for seed in dict.fromkeys([*cell.found, *missing]):
            recipe = (cell.column.protocol, cell.recipe, cell.changes)
            one = Wanted(cell.row.method, cell.word, *recipe, seed)
            run = _add(found, cell.plan, one, where)
            if seed not in missing:
                found.done.add(run.id)
    return _labelled(found)


class _Grounds:
    """Data sets, each opened once, and each under a protocol linted once."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self._data: dict[str | None, OpenDataset | HarnessError] = {}
        self._grounds: dict[tuple[str | None, str | None], Ground | HarnessError] = {}

    def of(self, word: str | None, protocol: str | None) -> Ground:
        """Raises what stands in the way, each time it is asked for."""
        if word not in self._data:
            self._data[word] = _kept(lambda: open_dataset(word, self._plugins))
        key = (word, protocol)
        if key not in self._grounds:
            data = _or_raise(self._data[word])
            self._grounds[key] = _kept(lambda: prepare(data, protocol, self._plugins))
        return _or_raise(self._grounds[key])


def _planned(one: Wanted, plugins: Plugins, grounds: _Grounds, where: Where) -> Plan | HarnessError:
    def plan() -> Plan:
        info = plugins.method(one.method)
        if one.protocol is not None:
            plugins.protocol(one.protocol)
        return plan_on(
            grounds.of(one.dataset, one.protocol),
            info,
            recipe=one.recipe,
            changes=one.changes,
            out=where.out,
            device=where.device,
        )

    return _kept(plan)


def _add(found: Settled, plan: Plan, one: Wanted, where: Where) -> SweepRun:
    recipe = plan.resolved.recipe
    words = run_words(
        one.method,
        dataset=one.dataset,
        protocol=plan.protocol.name,
        recipe=one.recipe,
        changes=one.changes,
        seeds=[one.seed],
        out=where.out,
        device=where.device,
        plugin=where.plugin,
    )
    run = SweepRun(
        id=f"{recipe.hash[:8]}-{one.seed}",
        label=" ".join([one.method, plan.data.label, plan.protocol.name, recipe.name]),
        changes=one.changes,
        method=one.method,
        dataset=plan.data.label,
        seed=one.seed,
        recipe_hash=recipe.hash,
        folder=str(plan.folder(one.seed).relative_to(where.out)),
        words=tuple(words),
    )
    found.runs.setdefault(run.id, run)
    found.plans.setdefault(run.id, plan)
    return run


def _labelled(found: Settled) -> Settled:
    """Each label with the changes of its run that not every run has."""
    runs = found.runs.values()
    common = set.intersection(*(set(run.changes) for run in runs)) if runs else set()
    for run in list(runs):
        own = [change for change in run.changes if change not in common]
        found.runs[run.id] = run.model_copy(update={"label": " ".join([run.label, *own])})
    return found


def _look_for_done(found: Settled, shelf: Shelf) -> None:
    by_plan: dict[int, list[SweepRun]] = {}
    for run in found.runs.values():
        by_plan.setdefault(id(found.plans[run.id]), []).append(run)
    for runs in by_plan.values():
        records = shelf.records(found.plans[runs[0].id], [run.seed for run in runs])
        found.done |= {r.id for r in runs if r.seed in records and records[r.seed].current}


def _kept(work: Callable[[], _T]) -> _T | HarnessError:
    try:
        return work()
    except HarnessError as error:
        return error


def _or_raise(found: _T | HarnessError) -> _T:
    if isinstance(found, HarnessError):
        raise found
    return found
