"""Whether runs may share a table, and if not, which hash differs and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.base.errors import RecordError
from harness.board.build import board
from harness.board.rows import BoardTable
from harness.evidence.record import RunRecord
from harness.spec.method import MethodInfo
from harness.spec.text import relabelled, without_captions
from harness.store.rows import Stored, summary_of

# What is said of data or protocol without deciding whether numbers compare.
_WORDS = {"name", "title", "used_by", "groups", "label", "accepted_variant"}
_MOST_FIELDS = 6


def require_same(records: Iterable[RunRecord]) -> None:
    """Refuse runs on different data or under different protocols.

    Raises:
        RecordError: It names the hash that differs, and the fields that make it differ.
    """
    every = list(records)
    for other in every[1:]:
        difference = differing(every[0], other)
        if difference:
            raise RecordError(
                seen=f"{every[0].run_id} and {other.run_id} do not compare: {difference}",
                expected="runs on the same data, byte by byte, under the same protocol",
                do="score one of them as the other: harness evaluate --run ID --dataset FOLDER "
                "--protocol NAME; or compare runs of one table of harness leaderboard --text",
            )


def differing(a: RunRecord, b: RunRecord) -> str:
    """Which of the two hashes differs and why, in words; empty where neither does."""
    found = []
    if a.pictures_hash != b.pictures_hash:
        found.append(_why("data", a.pictures_hash, b.pictures_hash, a.dataset, b.dataset))
    if a.protocol_hash != b.protocol_hash:
        hashes = (a.protocol_hash, b.protocol_hash)
        found.append(_why("protocol", *hashes, a.protocol, b.protocol))
    return "; ".join(found)


def _why(what: str, a_hash: str, b_hash: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    fields = [
        f"{name} {_short(before)} and {_short(after)}"
        for name, before, after in _changes(a, b)
        if not name.endswith("_hash")
    ]
    names = (a.get("label") or a.get("name"), b.get("label") or b.get("name"))
    called = f"{names[0]} and {names[1]}, " if names[0] != names[1] else ""
    if not fields:
        why = "every field is the same, so the bytes of the files differ"
        fields = [why if what == "data" else "no field says why"]
    more = len(fields) - _MOST_FIELDS
    listed = ", ".join(fields[:_MOST_FIELDS]) + (f" and {more} more" if more > 0 else "")
    return f"the {what} hash differs, {a_hash[:8]} and {b_hash[:8]} ({called}{listed})"


def _changes(
    a: Mapping[str, Any], b: Mapping[str, Any], prefix: str = ""
) -> Iterable[tuple[str, Any, Any]]:
    for name in dict.fromkeys([*a, *b]):
        if prefix == "" and name in _WORDS:
            continue
        before, after = a.get(name), b.get(name)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _changes(before, after, f"{prefix}{name}.")
        elif before != after:
            yield prefix + name, before, after


def _short(value: Any) -> str:
    text = "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def one_table(runs: Sequence[Stored], infos: Mapping[str, MethodInfo] | None = None) -> BoardTable:
    """Named runs as one table, without claims.

    Raises:
        RecordError: Their data or protocol hashes differ, or there is no run.
    """
    if not runs:
        raise RecordError("no run is named", "one run or more", "name runs: harness list runs")
    require_same(one.record for one in runs)
    # The name is words only: two names of one protocol are still one table.
    first = runs[0].record
    dataset, protocol = without_captions(first.dataset_label), first.protocol_name
    every = [summary_of(*one) for one in runs]
    summaries = [
        one._replace(dataset=relabelled(one.dataset, dataset), protocol=protocol) for one in every
    ]
    (table,) = board(summaries, infos=infos)
    return table
