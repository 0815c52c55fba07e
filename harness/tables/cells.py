"""The cells of a table: the run that each stands for, and its records that are here already."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from harness.errors import HarnessError, RecordError
from harness.hashing import digest
from harness.plugins import Plugins
from harness.progress import say
from harness.record import RunRecord, read_record, record_id
from harness.resolve import resolve
from harness.run import DEFAULT_OUT, DEFAULT_SEED, Ground, Plan, plan_on, run_inputs
from harness.tables.plan import Column, Row

_DEVICES = {"auto": ("cpu", "cuda"), "cpu": ("cpu",), "cuda": ("cuda",)}


class Options(NamedTuple):
    """What a command says about every cell.

    Attributes:
        track: official, common or smoke.
        seeds: Those asked for; None shows every seed that is there.
        changes: As after `--set`, for every row.
        out: Where runs are kept.
        device: auto, cpu or cuda.
        plugin: As after `--plugin`.
    """

    track: str
    seeds: tuple[int, ...] | None = None
    changes: tuple[str, ...] = ()
    out: Path = DEFAULT_OUT
    device: str = "auto"
    plugin: tuple[Path, ...] = ()


class Found(NamedTuple):
    """A record, where it lies, and whether `harness run` would leave it as it is."""

    record: RunRecord
    path: Path
    current: bool


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
        missing = self.missing(options)
        words = ["harness", "run", "--method", self.row.method]
        words += [] if self.word is None else ["--dataset", self.word]
        words += ["--protocol", self.column.protocol, "--recipe", self.recipe]
        words += [w for change in self.changes for w in ("--set", change)]
        words += ["--seed" if len(missing) == 1 else "--seeds", ",".join(map(str, missing))]
        words += [] if options.out == DEFAULT_OUT else ["--out", str(options.out)]
        words += [] if options.device == "auto" else ["--device", options.device]
        words += [w for path in options.plugin for w in ("--plugin", str(path))]
        return shlex.join(words)


def make_cell(
    row: Row,
    column: Column,
    ground: Ground,
    word: str | None,
    plugins: Plugins,
    options: Options,
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
        cell.found = _records(plan, options.seeds)
    except HarnessError as error:
        cell.problem = error
    return cell


def _records(plan: Plan, seeds: Sequence[int] | None) -> dict[int, Found]:
    """The records of a plan in its run folder.

    Seeds whose means may be taken together: those by the code that is installed, or where there
    is none, those by the code of the newest.
    """
    every = [f for seed in seeds or _seeds_there(plan) if (f := _record(plan, seed)) is not None]
    chosen = [f for f in every if f.current]
    if not chosen and every:
        newest = max(every, key=lambda f: f.record.created).record.code_hash
        chosen = [f for f in every if f.record.code_hash == newest]
    return {f.record.seed: f for f in chosen}


def _seeds_there(plan: Plan) -> list[int]:
    places = plan.folder(0).parent.glob("*/record.json")
    return sorted(int(p.parent.name) for p in places if p.parent.name.isdecimal())


def _record(plan: Plan, seed: int) -> Found | None:
    path = plan.folder(seed) / "record.json"
    if not path.is_file():
        return None
    try:
        record = read_record(path)
    except RecordError as error:
        say(f"passed over: {error.seen}")
        return None
    if record.run_id != record_id(record):
        say(f"passed over: {path} was changed after it was written")
        return None
    hashes = (record.recipe_hash, record.data_hash, record.protocol_hash, record.seed)
    recipe, protocol = plan.resolved.recipe.hash, plan.protocol.hash
    if hashes != (recipe, plan.data.data_hash, protocol, seed):
        return None
    return Found(record, path, record.inputs_hash in _inputs_hashes(plan, seed))


def _inputs_hashes(plan: Plan, seed: int) -> set[str]:
    """What `harness run` would find unchanged, on any device that the plan's word may mean."""
    inputs = run_inputs(plan, seed, "cpu")
    return {digest({**inputs, "device": d}) for d in _DEVICES.get(plan.device, (plan.device,))}
