"""What a sweep came to: means, spread over seeds and places, one table for each protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from harness.base.errors import RecordError
from harness.board import BoardTable, board
from harness.evidence.record import RunRecord, read_record
from harness.spec.plugins import Plugins
from harness.store import PerQueryValues
from harness.store.rows import per_query_from, summary_of
from harness.sweeps.run import SweepRun
from harness.tables.records import store_there


class Results(NamedTuple):
    """The finished runs of a sweep as the board shows runs, with places among themselves.

    Attributes:
        labels: What each run is called in the sweep, by its record's id.
    """

    tables: tuple[BoardTable, ...]
    labels: Mapping[str, str]


def results(out: Path, runs: Sequence[SweepRun], plugins: Plugins) -> Results:
    """Read the records of the finished runs from their folders."""
    found: dict[str, tuple[RunRecord, Path, SweepRun]] = {}
    for run in runs:
        path = out / run.folder / "record.json"
        try:
            record = read_record(path)
        except RecordError:
            continue
        found[record.run_id] = (record, path, run)

    def per_query(ids: Iterable[str]) -> dict[str, PerQueryValues]:
        return {i: per_query_from(found[i][0].model_dump_json()) for i in ids if i in found}

    summaries = [summary_of(record, path) for record, path, _ in found.values()]
    tables = board(summaries, per_query=per_query, infos=plugins.methods)
    return Results(tuple(tables), {i: run.label for i, (_, _, run) in found.items()})


class Estimate(NamedTuple):
    """Hours of training that runs will take, from earlier ones.

    Attributes:
        seconds: Of the runs that are known of.
        known, unknown: How many runs there is an earlier one for, and how many not.
    """

    seconds: float
    known: int
    unknown: int


def earlier(out: Path) -> dict[tuple[str, str], float]:
    """Mean seconds of the trainings that the store knows, by method and data set."""
    store = store_there(out)
    found: dict[tuple[str, str], list[float]] = {}
    for one in store.summaries() if store is not None else []:
        if one.training_seconds is not None:
            found.setdefault((one.method, one.dataset), []).append(one.training_seconds)
    return {key: fmean(values) for key, values in found.items()}


def estimate(runs: Sequence[SweepRun], seconds: Mapping[tuple[str, str], float]) -> Estimate:
    """What the runs will cost.

    Args:
        runs: To do.
        seconds: Of training, by method and data set.
    """
    found = [seconds.get((run.method, run.dataset)) for run in runs]
    known = [s for s in found if s is not None]
    return Estimate(sum(known), len(known), len(found) - len(known))
