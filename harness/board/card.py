"""A Markdown card of one run: what it is, what it scored, what it took, how to check it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from harness.evidence.record import METRICS, RunRecord
from harness.export import Cell, Column, TableView, Value, escaped_markdown, render
from harness.spec.changes import as_computed
from harness.spec.method import MethodInfo
from harness.spec.protocol import BoundProtocol
from harness.store import Stored

_COST = {
    "parameters": "parameters",
    "gflops": "GFLOP per sample",
    "latency_ms": "milliseconds per sample",
    "descriptor": "numbers in a descriptor",
    "training_seconds": "seconds of training",
    "peak_memory_mib": "peak memory, MiB",
}
_TRUST = {
    "reported": "the numbers are those of the record; nobody has checked them here",
    "rescored": "the metrics were computed again from the stored descriptors, which proves the "
    "arithmetic and not the descriptors",
    "rerun": "trained again from its recipe here, within tolerance",
}


def card(run: Stored, info: MethodInfo | None = None) -> str:
    """The card; names from the record are escaped, so that they can hold no markup.

    Args:
        run: The record with its trust level.
        info: Of its method, where it is installed.
    """
    record = run.record
    title = (info.title if info else "") or record.method
    lines = [
        f"# {_plain(title)} on {_plain(record.dataset_label)}, {_plain(record.protocol_name)}",
        "",
        *_about(record, info),
        f"- trust: **{run.trust}**, {_TRUST.get(str(run.trust), '')}",
        "",
        "## Results",
        "",
        _metrics(record),
        "## Protocol",
        "",
        *(f"- {_plain(words)}" for words in _protocol_words(record)),
        f"- hash `{_code(record.protocol_hash)}`",
        "",
        "## Recipe",
        "",
        *_listed(as_computed(record.recipe)),
        f"- hash `{_code(record.recipe_hash)}`",
        "",
        "## Cost",
        "",
        *(_cost(record.cost) or ["- not measured"]),
        "",
        "## Environment",
        "",
        *(_listed(record.environment) or ["- not said"]),
        f"- harness {_plain(record.harness_version)}, code `{_code(record.code_hash)}`",
        "",
        "## Evidence",
        "",
        *(f"- {_plain(e.file)}: SHA-256 `{_code(e.sha256)}`" for e in record.evidence.values()),
        f"- data: `{_code(record.data_hash)}`",
        "",
        "## Check it",
        "",
        "```bash",
        f"harness verify {_code(record.run_id)}",
        f"harness reproduce {_code(record.run_id)}",
        "```",
    ]
    return "\n".join(lines) + "\n"


def _about(record: RunRecord, info: MethodInfo | None) -> list[str]:
    paper = (
        [part for part in (info.paper, info.venue, str(info.year or "")) if part] if info else []
    )
    drawn = record.dataset.get("made_like") is not None
    return [
        f"- run `{_code(record.run_id)}`, seed {record.seed}, {_plain(record.created[:19])}",
        f"- method: {_plain(record.method)}"
        + (f" ({_plain(', '.join(paper))})" if paper else "")
        + f"; a missing modality: {_plain(record.missing_policy)}",
        f"- selection of the epoch: {_plain(record.selection)}",
        *(
            ["- drawn figures: these numbers show that a method works, not how well"]
            if drawn
            else []
        ),
    ]


def _metrics(record: RunRecord) -> str:
    rows: list[tuple[Cell, ...]] = [
        (
            metric,
            Value(record.metrics[metric], interval=record.intervals.get(metric)),
            Value(record.chance[metric]) if metric in record.chance else None,
        )
        for metric in METRICS
    ]
    view = TableView(
        title="In percent, with 95 % intervals that resample identities",
        columns=(Column("metric"), Column("value"), Column("chance")),
        rows=tuple(rows),
        notes=(f"{record.valid_queries} valid of {record.queries} queries.",),
        inputs_hash=record.run_id,
    )
    return render(view, "markdown")


def _protocol_words(record: RunRecord) -> list[str]:
    try:
        return list(BoundProtocol.model_validate(record.protocol).in_words())
    except ValidationError:
        return [f"{name}: {value}" for name, value in record.protocol.items()]


def _cost(cost: Mapping[str, Any]) -> list[str]:
    return [
        f"- {words}: {cost[name]:,.10g}"
        for name, words in _COST.items()
        if isinstance(cost.get(name), int | float)
    ]


def _listed(settings: Mapping[str, Any], prefix: str = "") -> list[str]:
    found: list[str] = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found += _listed(value, f"{prefix}{name}.")
        elif value not in (None, "", [], ()):
            found.append(f"- {_plain(prefix + name)}: {_plain(str(value))}")
    return found


def _plain(text: str) -> str:
    return escaped_markdown(text)


def _code(text: str) -> str:
    """A hash or id; anything else is cut out, since code is not escaped."""
    return "".join(c for c in text if c.isalnum() or c in "-._")
