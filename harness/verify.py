"""Checking a record against its evidence: hashes, then every metric to the last digit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import HarnessError
from harness.evaluation import evaluate, scored
from harness.features_file import read_own
from harness.hashing import file_digest
from harness.protocol import BoundProtocol
from harness.record import RunRecord, read_record, record_id


class Check(NamedTuple):
    """One thing that was checked; `problem` is empty when it holds."""

    name: str
    problem: str


def verify(path: Path) -> list[Check]:
    """Check the record at `path` with the evidence beside it.

    Rescoring proves the arithmetic from the stored descriptors, not the descriptors.

    Raises:
        RecordError: The file is no record at all.
    """
    record = read_record(path)
    checks = [Check("record id", _id_problem(record))]
    for name, evidence in record.evidence.items():
        checks.append(Check(f"evidence {name}", _evidence_problem(path.parent, evidence)))
    checks += list(_rescored(record, path.parent))
    return checks


def _id_problem(record: RunRecord) -> str:
    expected = record_id(record)
    if record.run_id == expected:
        return ""
    return f"run_id is {record.run_id} but the contents hash to {expected}: it was edited"


def _evidence_problem(folder: Path, evidence: Any) -> str:
    file = folder / evidence.file
    # A record from elsewhere may name any path; only files beside it are its evidence.
    if Path(evidence.file).name != evidence.file:
        return f"{evidence.file!r} is not a file name beside the record"
    if not file.is_file():
        return f"{evidence.file} is missing"
    found = file_digest(file)
    if found == evidence.sha256:
        return ""
    return f"{evidence.file} has SHA-256 {found[:16]}, the record says {evidence.sha256[:16]}"


def _rescored(record: RunRecord, folder: Path) -> Iterator[Check]:
    try:
        protocol = BoundProtocol.model_validate(record.protocol)
        query, gallery = read_own(folder / "features.npz")
        found = evaluate(query, gallery, protocol)
    except (HarnessError, ValueError) as error:
        yield Check("rescoring", str(error).splitlines()[0])
        return
    if protocol.hash != record.protocol_hash:
        yield Check("protocol hash", f"{record.protocol_hash[:16]} is not {protocol.hash[:16]}")
    yield from _numbers(record, scored(found, query))


def _numbers(record: RunRecord, computed: dict[str, Any]) -> Iterator[Check]:
    """Every number of the accuracy part, held against what a new record would say."""
    for kind in ("metrics", "intervals", "chance"):
        said, now = getattr(record, kind), computed[kind]
        for name in dict.fromkeys((*now, *said)):
            yield Check(f"{kind} {name}", _difference(said.get(name), now.get(name)))
    for kind in ("queries", "valid_queries"):
        yield Check(kind, _difference(getattr(record, kind), computed[kind]))
    yield Check("cmc", _first_difference(record.cmc, computed["cmc"]))
    for field, now in computed["per_query"].items():
        said = getattr(record.per_query, field)
        if said is not None:
            yield Check(f"per-query {field}", _first_difference(said, now))


def _difference(said: Any, computed: Any) -> str:
    return "" if said == computed else f"the record says {said}, rescoring gives {computed}"


def _first_difference(said: Sequence[Any], computed: Sequence[Any]) -> str:
    if len(said) != len(computed):
        return f"the record has {len(said)} values, rescoring gives {len(computed)}"
    wrong = [i for i, (a, b) in enumerate(zip(said, computed, strict=True)) if a != b]
    if not wrong:
        return ""
    first = wrong[0]
    return f"the record differs in {len(wrong)}, first number {first}: " + _difference(
        said[first], computed[first]
    )
