"""One run carried out, to its `record.json` in the store; what was finished stays."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from harness.base.errors import RecordError
from harness.base.files import tidy
from harness.base.hashing import digest
from harness.base.parallel import on_main
from harness.base.progress import say
from harness.base.stages import only_one
from harness.data.variants import data_summary
from harness.evidence import environment
from harness.evidence.record import RunRecord, make_record, read_record, record_id, write_record
from harness.evidence.reproduction import SAID
from harness.runs.plan import Plan, run_inputs
from harness.store import open_store


@dataclass(frozen=True)
class Finished:
    """A run's record, where it lies, and whether it was there before."""

    record: RunRecord
    path: Path
    cached: bool


class Keep(Protocol):
    """What a run needs of a store."""

    def add(self, record: RunRecord, path: Path) -> bool: ...  # noqa: D102
    def moved(self, run_id: str, path: Path) -> None: ...  # noqa: D102


class InFolderOnly:
    """In place of a store: the record stays in its folder, for `harness store import`."""

    def add(self, record: RunRecord, path: Path) -> bool:
        """Nothing is kept."""
        return False

    def moved(self, run_id: str, path: Path) -> None:
        """Nothing is noted."""


def execute(plan: Plan, seed: int, store: Keep | None = None, sweep: str | None = None) -> Finished:
    """Train, embed and score, or find all of it done; then keep the record.

    Args:
        plan: What to do.
        seed: Of everything drawn.
        store: Where the record is kept; by default the store of the plan's folder. Of several
            processes, the main one's.
        sweep: The name of the sweep that it is part of, for the record.

    Raises:
        HarnessError: Anything a person can mend; what was finished stays for the next try.
    """
    from harness.runs.pipeline import results
    from harness.training.device import choose_device

    folder = plan.folder(seed)
    device = choose_device(plan.device)
    path = folder / "record.json"
    with only_one(folder.with_name(f".{seed}.lock")):
        on_main(lambda: tidy(folder))
        inputs = run_inputs(plan, seed, device.type)
        ready = on_main(lambda: _ready(path, digest(inputs), store or open_store(plan.out)))
        if ready is not None:
            return Finished(ready, path, cached=True)
        found = results(plan, seed, folder, device, inputs)

        def keep() -> RunRecord:
            record = _record(plan, seed, inputs, found, sweep)
            write_record(path, record)
            (store or open_store(plan.out)).add(record, path)
            return record

        return Finished(on_main(keep), path, cached=False)


def _ready(path: Path, inputs_hash: str, store: Keep) -> RunRecord | None:
    """The finished record, in the store."""
    found = _settle(path, inputs_hash, store)
    if found is not None:
        say(f"run: done before with the same inputs, nothing to do ({path})")
        store.add(found, path)
    return found


def _settle(path: Path, inputs_hash: str, store: Keep) -> RunRecord | None:
    """The finished record at `path` if it stands; else make room, losing nothing.

    What is no record, such as the rest of a write that was cut off, makes way for one. A run of
    other inputs is set aside whole. One of the same inputs that lost some evidence, or
    whose record was edited, keeps its stages; only the record makes way for the new one.
    """
    if not path.exists():
        return None
    try:
        record = read_record(path)
    except RecordError as error:
        place = _free(path.with_name("record.damaged.json"))
        path.rename(place)
        say(f"run: {error.seen.splitlines()[0]}; it is kept as {place.name}")
        return None
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
        # Not a mere rename: a folder out of a container's image cannot be renamed.
        shutil.move(path.parent, aside)
        place = aside / path.name
        what = "the code, the data, the protocol, the device or the number of processes"
        say(f"run: {what} changed since; the old run is kept in {aside}")
    store.moved(record.run_id, place)
    return None


def _free(path: Path) -> Path:
    number, place = 1, path
    while place.exists():
        number, place = number + 1, path.with_name(f"{path.name}.{number}")
    return place


def _record(
    plan: Plan, seed: int, inputs: dict[str, Any], found: dict[str, Any], sweep: str | None
) -> RunRecord:
    recipe = plan.resolved.recipe
    if plan.reproduces:
        found = {**found, "environment": {**found["environment"], SAID: plan.reproduces}}
    return make_record(
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        harness_version=environment.harness_version(),
        method=plan.info.name,
        missing_policy=plan.info.missing,
        recipe=recipe.dumped(),
        recipe_hash=recipe.hash,
        dataset=data_summary(plan.data),
        protocol=plan.protocol.model_dump(mode="json"),
        protocol_hash=plan.protocol.hash,
        seed=seed,
        selection=plan.protocol.selection,
        code_hash=inputs["code"],
        inputs_hash=digest(inputs),
        sweep=sweep,
        **found,
    )
