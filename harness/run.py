"""One run, from the words of a command to `record.json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from harness import environment
from harness.data.lint import Finding, lint, stop_on_errors
from harness.data.open import OpenDataset, open_dataset
from harness.data.validation import held_out
from harness.hashing import code_digest, digest
from harness.method import MethodInfo
from harness.parallel import on_main, world
from harness.plugins import Plugins, load_plugins, source_of
from harness.progress import say
from harness.protocol import BoundProtocol
from harness.record import RunRecord, make_record, read_record, record_id, write_record
from harness.resolve import Resolved, default_recipe, resolve
from harness.sides import require_policy
from harness.stages import only_one
from harness.store import Store, open_store

# The folders of the core whose code a run's numbers depend on, beside the method's own.
_DECIDING = ("training", "data", "corruptions")
DEFAULT_OUT = Path("runs")
DEFAULT_SEED = 40
"""The seed in the README of IEEE's authors."""


class Ground(NamedTuple):
    """What many runs can share: an open data set under a protocol, linted."""

    data: OpenDataset
    protocol: BoundProtocol
    findings: tuple[Finding, ...]
    """What linting found; only warnings get this far."""


@dataclass(frozen=True)
class Plan:
    """A run that is settled and checked, before anything heavy."""

    info: MethodInfo
    resolved: Resolved
    data: OpenDataset
    protocol: BoundProtocol
    out: Path
    device: str
    """As asked for: auto, cpu or cuda."""
    findings: tuple[Finding, ...]
    """What linting found; only warnings get this far."""

    def folder(self, seed: int) -> Path:
        """Where the run of a seed is kept."""
        return self.out / self.resolved.recipe.hash[:12] / str(seed)


@dataclass(frozen=True)
class Finished:
    """A run's record, where it lies, and whether it was there before."""

    record: RunRecord
    path: Path
    cached: bool


def plan_run(
    method: str,
    *,
    dataset: str | None = None,
    protocol: str | None = None,
    recipe: str | None = None,
    changes: Sequence[str] = (),
    out: Path = DEFAULT_OUT,
    device: str = "auto",
    plugins: Plugins | None = None,
) -> Plan:
    """Find everything, check the data set's names and lint the protocol; torch stays away.

    Raises:
        HarnessError: Whatever is wrong, before any training.
    """
    known = plugins or load_plugins()
    info = known.method(method)
    if protocol is not None:
        known.protocol(protocol)
    ground = prepare(open_dataset(dataset, known), protocol, known)
    return plan_on(ground, info, recipe=recipe, changes=changes, out=out, device=device)


def prepare(data: OpenDataset, protocol: str | None, plugins: Plugins) -> Ground:
    """Check a data set's names and lint the protocol: once for any number of methods.

    Raises:
        HarnessError: No such protocol, or a fault of the data under it.
    """
    bound = plugins.protocol(protocol or data.card.protocol).bind(data.card)
    data = held_out(data, bound.held_out)
    findings = tuple(lint(data, bound))
    stop_on_errors(findings)
    return Ground(data, bound, findings)


def plan_on(
    ground: Ground,
    info: MethodInfo,
    *,
    recipe: str | None = None,
    changes: Sequence[str] = (),
    out: Path = DEFAULT_OUT,
    device: str = "auto",
) -> Plan:
    """Settle the recipe of one method on data that is open already.

    Raises:
        HarnessError: A recipe that does not fit, or a method that cannot take the protocol.
    """
    data, bound, findings = ground
    name = recipe or default_recipe(info, data.card.name, data.card.embedded)
    resolved = resolve(info, name, data.label, bound.name, changes)
    plan = Plan(info, resolved, data, bound, out, device, findings)
    require_policy(plan)
    return plan


def execute(plan: Plan, seed: int, store: Store | None = None) -> Finished:
    """Train, embed and score, or find all of it done; then keep the record.

    Args:
        plan: What to do.
        seed: Of everything drawn.
        store: Where the record is kept; by default the store of the plan's folder. Of several
            processes, the main one's.

    Raises:
        HarnessError: Anything a person can mend; what was finished stays for the next try.
    """
    from harness.pipeline import choose_device, results

    folder = plan.folder(seed)
    device = choose_device(plan.device)
    path = folder / "record.json"
    with only_one(folder.with_name(f".{seed}.lock")):
        inputs = run_inputs(plan, seed, device.type)
        ready = on_main(lambda: _ready(path, digest(inputs), store or open_store(plan.out)))
        if ready is not None:
            return Finished(ready, path, cached=True)
        found = results(plan, seed, folder, device, inputs)

        def keep() -> RunRecord:
            record = _record(plan, seed, inputs, found)
            write_record(path, record)
            (store or open_store(plan.out)).add(record, path)
            return record

        return Finished(on_main(keep), path, cached=False)


def run_inputs(plan: Plan, seed: int, device: str) -> dict[str, Any]:
    """Everything that decides a run's numbers, by name."""
    here = Path(__file__).parent
    # Sums over several processes are added in another order than by one, as on another device.
    several = {"processes": world().size} if world().size > 1 else {}
    return {
        "recipe": plan.resolved.recipe.hash,
        "data": plan.data.data_hash,
        "protocol": plan.protocol.hash,
        "seed": seed,
        "code": code_digest([*(here / f for f in _DECIDING), *_sources(plan.info)]),
        "device": device,
        **several,
    }


def _sources(info: MethodInfo) -> list[Path]:
    return [source_of(target) for target in (info.target, *info.uses)]


def _ready(path: Path, inputs_hash: str, store: Store) -> RunRecord | None:
    """The finished record, in the store."""
    found = _settle(path, inputs_hash, store)
    if found is not None:
        say(f"run: done before with the same inputs, nothing to do ({path})")
        store.add(found, path)
    return found


def _settle(path: Path, inputs_hash: str, store: Store) -> RunRecord | None:
    """The finished record at `path` if it stands; else make room, losing nothing.

    A run of other inputs is set aside whole. One of the same inputs that lost some evidence, or
    whose record was edited, keeps its stages; only the record makes way for the new one.
    """
    if not path.exists():
        return None
    record = read_record(path)
    genuine = record.run_id == record_id(record)
    whole = all((path.parent / e.file).is_file() for e in record.evidence.values())
    same = record.inputs_hash == inputs_hash
    if same and genuine and whole:
        return record
    if same:
        place = path.with_name(f"record.{record.run_id}.json")
        path.rename(place)
        say(f"run: the record does not stand any more; it is kept as {place.name}")
    else:
        aside = _free(path.parent.with_name(f"{path.parent.name}.{record.run_id}"))
        path.parent.rename(aside)
        place = aside / path.name
        what = "the code, the data, the device or the number of processes"
        say(f"run: {what} changed since; the old run is kept in {aside}")
    store.moved(record.run_id, place)
    return None


def _free(path: Path) -> Path:
    number, place = 1, path
    while place.exists():
        number, place = number + 1, path.with_name(f"{path.name}.{number}")
    return place


def _record(plan: Plan, seed: int, inputs: dict[str, Any], found: dict[str, Any]) -> RunRecord:
    recipe = plan.resolved.recipe
    return make_record(
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        harness_version=environment.harness_version(),
        method=plan.info.name,
        missing_policy=plan.info.missing,
        recipe=recipe.dumped(),
        recipe_hash=recipe.hash,
        dataset=plan.data.summary(),
        protocol=plan.protocol.model_dump(mode="json"),
        protocol_hash=plan.protocol.hash,
        seed=seed,
        selection=plan.protocol.selection,
        code_hash=inputs["code"],
        inputs_hash=digest(inputs),
        **found,
    )
