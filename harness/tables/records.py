"""The records of a planned run: in its own folder, and in the store that a team may share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from harness.base.errors import RecordError
from harness.base.files import STORE_VARIABLE
from harness.base.hashing import digest
from harness.base.progress import say
from harness.evidence.record import RunRecord, read_record, record_id
from harness.runs.plan import Plan, run_inputs
from harness.store import STORE_NAME, Store, Summary, open_store

_DEVICES = {"auto": ("cpu", "cuda"), "cpu": ("cpu",), "cuda": ("cuda",)}

_Key = tuple[str, str, str]


class Found(NamedTuple):
    """A record, where it lies, and whether the code that is installed would make the same."""

    record: RunRecord
    path: Path
    current: bool


class Shelf:
    """Where records are looked for: the run folders under `out`, then the store.

    Args:
        out: As after `--out`; it need not be there.
        processes: By how many the runs are to be made.
    """

    def __init__(self, out: Path, processes: int = 1) -> None:
        self._processes = processes
        self._store = store_there(out)
        self._stored: dict[_Key, list[Summary]] = {}
        for summary in self._store.summaries() if self._store is not None else []:
            key = (summary.recipe_hash, summary.data_hash, summary.protocol_hash)
            self._stored.setdefault(key, []).append(summary)

    def records(self, plan: Plan, seeds: Sequence[int] | None) -> dict[int, Found]:
        """The records of a plan by seed; of all seeds that are there where `seeds` is None.

        Only those whose means may be taken together: by the code that is installed, or where there
        is none, by the code of the newest.
        """
        here = [self._in_folder(plan, seed) for seed in seeds or _seeds_there(plan)]
        every = [f for f in here if f is not None]
        every += self._in_store(plan, seeds, {f.record.run_id for f in every})
        chosen = [f for f in every if f.current]
        if not chosen and every:
            newest = max(every, key=lambda f: f.record.created).record.code_hash
            chosen = [f for f in every if f.record.code_hash == newest]
        # Of two records of one seed, the one in the run folder stays: it has its evidence.
        return {f.record.seed: f for f in sorted(reversed(chosen), key=lambda f: f.record.seed)}

    def _in_store(self, plan: Plan, seeds: Sequence[int] | None, known: set[str]) -> list[Found]:
        found: list[Found] = []
        for summary in self._stored.get(_key(plan), []):
            wanted = seeds is None or summary.seed in seeds
            if self._store is not None and wanted and summary.run_id not in known:
                stored = self._store.get(summary.run_id)
                found.append(self._judged(plan, stored.record, stored.path))
        return found

    def _in_folder(self, plan: Plan, seed: int) -> Found | None:
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
        hashes = (record.recipe_hash, record.pictures_hash, record.protocol_hash)
        return (
            self._judged(plan, record, path)
            if hashes == _key(plan) and record.seed == seed
            else None
        )

    def _judged(self, plan: Plan, record: RunRecord, path: Path) -> Found:
        """Whether `harness run` finds its inputs unchanged, on any device that may be meant."""
        inputs = run_inputs(plan, record.seed, "cpu", self._processes)
        devices = _DEVICES.get(plan.device, (plan.device,))
        return Found(
            record, path, record.inputs_hash in {digest({**inputs, "device": d}) for d in devices}
        )


def store_there(out: Path) -> Store | None:
    """The store, where there is one: looking at a table makes none."""
    if os.environ.get(STORE_VARIABLE):
        return open_store(out)
    return open_store(out) if (out / STORE_NAME).is_file() else None


def _key(plan: Plan) -> _Key:
    # The recipe's label of the data says which captions there were, if any.
    return plan.resolved.recipe.hash, plan.data.pictures_hash, plan.protocol.hash


def _seeds_there(plan: Plan) -> list[int]:
    places = plan.folder(0).parent.glob("*/record.json")
    return sorted(int(p.parent.name) for p in places if p.parent.name.isdecimal())
