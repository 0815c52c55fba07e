"""What comes out of a store: whole records, and rows that are read without parsing a record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.base.hashing import json_text
from harness.evidence.record import METRICS, RunRecord
from harness.evidence.trust import Trust
from harness.store.places import Find


class Stored(NamedTuple):
    """A record, where its file and evidence are, and how far it was checked."""

    record: RunRecord
    path: Path
    trust: Trust = Trust.REPORTED


class PerQueryValues(NamedTuple):
    """Each query's outcome, in the order of the query list; None where it has no match.

    `pids` and `inp` are None whole for records of before they were kept.
    """

    names: tuple[str, ...]
    pids: tuple[int, ...] | None
    ap: tuple[float | None, ...]
    first_rank: tuple[int | None, ...]
    inp: tuple[float | None, ...] | None


class TrustEntry(NamedTuple):
    """What a check of a run came to: the level, what was checked, and when (UTC, ISO)."""

    run_id: str
    trust: Trust
    checked: dict[str, Any]
    when: str


class Summary(NamedTuple):
    """What tables need of a run; metrics, intervals and chance are in percent."""

    run_id: str
    created: str
    method: str
    dataset: str
    """The data set's label."""
    data_hash: str
    """Of the images: runs with captions, whose label says so, share the table of those without."""
    protocol: str
    protocol_hash: str
    recipe: str
    recipe_hash: str
    track: str
    """official, common, smoke or modified, as the record says; empty where it says none."""
    settings: str
    """The recipe, whole, in JSON: parsed where a name needs it, and not for every run."""
    seed: int
    selection: str
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float] | None]
    chance: dict[str, float]
    queries: int
    valid_queries: int
    parameters: int | None
    gflops: float | None
    descriptor: int | None
    """Numbers in one sample's descriptor."""
    latency_ms: float | None
    training_seconds: float | None
    device: str
    code_hash: str
    pretrained: str
    missing_policy: str
    path: Path
    """Of `record.json`, see `harness.store.places`."""
    trust: Trust
    sweep: str = ""
    """The sweep that made it; empty where none did."""


_MOST = 1e15
_METRICS, _INTERVALS, _CHANCE = map(Summary._fields.index, ("metrics", "intervals", "chance"))


def summary_of(record: RunRecord, path: Path, trust: Trust = Trust.REPORTED) -> Summary:
    """The summary of a record."""
    cost, recipe = record.cost, record.recipe
    return Summary(
        run_id=record.run_id,
        created=record.created,
        method=record.method,
        dataset=record.dataset_label,
        data_hash=record.pictures_hash,
        protocol=record.protocol_name,
        protocol_hash=record.protocol_hash,
        recipe=str(recipe.get("name", "")),
        recipe_hash=record.recipe_hash,
        track=str(recipe.get("track", "")),
        settings=json_text(recipe),
        seed=record.seed,
        selection=record.selection,
        metrics={name: record.metrics[name] for name in METRICS},
        intervals={name: record.intervals.get(name) for name in METRICS},
        chance={name: record.chance[name] for name in METRICS if name in record.chance},
        queries=record.queries,
        valid_queries=record.valid_queries,
        parameters=_count(cost.get("parameters")),
        gflops=_number(cost.get("gflops")),
        descriptor=_count(cost.get("descriptor")),
        latency_ms=_number(cost.get("latency_ms")),
        training_seconds=_number(cost.get("training_seconds")),
        device=str(record.environment.get("device", "")),
        code_hash=record.code_hash,
        pretrained=str(recipe.get("pretrained", "")),
        missing_policy=record.missing_policy,
        path=path,
        trust=trust,
        sweep=record.sweep or "",
    )


def _number(value: object) -> float | None:
    """A cost as a number; a record from elsewhere may say anything there."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # The bound keeps a database's number types from overflowing.
    return float(value) if abs(value) < _MOST else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and _number(value) is not None else None


def columns_of(summary: Summary, path: str) -> dict[str, Any]:
    """The columns of table `runs`, with the path as the store keeps it.

    What is a dict becomes JSON; trust and sweep have tables of their own.
    """
    found = summary._asdict() | {"path": path}
    del found["trust"], found["sweep"]
    return {k: json.dumps(v) if isinstance(v, dict) else v for k, v in found.items()}


def summary_from(row: Sequence[Any], find: Find) -> Summary:
    """The summary in a row with the columns of `Summary` in order; its last two may be None."""
    found = Summary._make(row)
    intervals = json.loads(row[_INTERVALS])
    return found._replace(
        metrics=json.loads(row[_METRICS]),
        intervals={k: None if v is None else tuple(v) for k, v in intervals.items()},
        chance=json.loads(row[_CHANCE]),
        path=find(found.run_id, str(found.path)),
        trust=trust_from(found.trust),
        sweep=found.sweep or "",
    )


def trust_from(word: str | None) -> Trust:
    """A run that was never checked is `reported`; a word that is none of ours proves no more."""
    return Trust(word) if word in set(Trust) else Trust.REPORTED


def settings_from(record: str) -> str:
    """The `settings` of a record's JSON, without making a record of it; none of a damaged one."""
    try:
        return json_text(json.loads(record)["recipe"])
    except (ValueError, KeyError, TypeError):
        return "{}"


def per_query_from(record: str) -> PerQueryValues:
    """The per-query part of a record's JSON, without making a record of it."""
    found = json.loads(record)["per_query"]
    pids, inp = found.get("pids"), found.get("inp")
    return PerQueryValues(
        names=tuple(found["names"]),
        pids=None if pids is None else tuple(pids),
        ap=tuple(found["ap"]),
        first_rank=tuple(found["first_rank"]),
        inp=None if inp is None else tuple(inp),
    )
