"""The run record: one run's numbers with everything needed to check them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from harness.base.errors import PlanError, RecordError
from harness.base.files import write_json
from harness.base.hashing import digest, file_digest, json_text
from harness.base.progress import say
from harness.evidence import strict_json
from harness.spec.text import CAPTIONS

SCHEMA_VERSION = 1
METRICS = ("mAP", "R1", "R5", "R10", "mINP")
# Keys under which someone might write a level of trust by hand.
_TYPED_TRUST = ("trust", "trust_level")
SWEEP_NAME = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,79}$"
"""What a sweep may be called: its name is a folder's, and stands on the board."""
WHY_IGNORED = "levels of trust are found by harness verify and harness reproduce, never read"


class Evidence(BaseModel):
    """A file beside the record, by name and SHA-256."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    sha256: str


class PerQuery(BaseModel):
    """Each query's outcome, in the order of the query list; None where it has no match.

    Attributes:
        names: The samples' names.
        ap, first_rank, inp: Average precision, the 1-based rank of the first match, and positives
            over the rank of the last one.
        pids: Identities, so that two records are compared without their data set.

    Records of the first version have neither `pids` nor `inp`; both stay away then, so that such a
    record still hashes to its id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...]
    ap: tuple[float | None, ...]
    first_rank: tuple[int | None, ...]
    pids: tuple[int, ...] | None = None
    inp: tuple[float | None, ...] | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_absent(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = dump(self)
        return {k: v for k, v in found.items() if v is not None}


class RunRecord(BaseModel):
    """What `record.json` holds. Written once; its id is the hash of everything else in it.

    Metrics, intervals and chance are in percent; `cmc` are fractions for rank 1 to 50. `sweep`
    names the sweep that made the run; it stays away where there was none, so that records from
    before there were sweeps still hash to their ids.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1]
    run_id: str
    created: str
    harness_version: str
    method: str
    missing_policy: str
    recipe: dict[str, Any]
    recipe_hash: str
    dataset: dict[str, Any]
    protocol: dict[str, Any]
    protocol_hash: str
    seed: int
    selection: str
    code_hash: str
    inputs_hash: str
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float] | None]
    chance: dict[str, float]
    queries: int
    valid_queries: int
    cmc: tuple[float, ...]
    per_query: PerQuery
    training: tuple[dict[str, Any], ...]
    cost: dict[str, Any]
    environment: dict[str, Any]
    evidence: dict[str, Evidence]
    sweep: Annotated[str, Field(pattern=SWEEP_NAME)] | None = None

    @model_serializer(mode="wrap")
    def _without_an_absent_sweep(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = dump(self)
        if self.sweep is None:
            found.pop("sweep", None)
        return found

    @property
    def dataset_label(self) -> str:
        """The data set's name in tables."""
        return str(self.dataset.get("label", "unknown"))

    @property
    def data_hash(self) -> str:
        """The hash of the data's bytes, and of the captions that the method was given."""
        return str(self.dataset.get("data_hash", ""))

    @property
    def pictures_hash(self) -> str:
        """The hash of the images alone, by which runs share a table.

        Only where the label says that there were captions, so that no table hides it.
        """
        said = CAPTIONS in self.dataset_label and self.dataset.get("pictures_hash")
        return str(said or self.data_hash)

    @property
    def protocol_name(self) -> str:
        """The protocol's name in tables."""
        return str(self.protocol.get("name", "unknown"))


def require_sweep_name(name: str) -> str:
    """The name of a sweep, if it is one.

    Raises:
        PlanError: It could not be a folder's, or holds what a page would not show.
    """
    if re.fullmatch(SWEEP_NAME, name) is None:
        raise PlanError(
            seen=f"a sweep called {name[:80]!r}",
            expected="at most 80 plain letters, digits and ._+-, a letter or digit first",
            do='rename the plan\'s file, or write name = "..." into it',
        )
    return name


def make_record(**fields: Any) -> RunRecord:
    """A record from all fields but its id and schema version, which are made here."""
    body = {"schema_version": SCHEMA_VERSION, **fields}
    draft = RunRecord.model_validate({**body, "run_id": ""})
    return draft.model_copy(update={"run_id": record_id(draft)})


def record_id(record: RunRecord) -> str:
    """The id a record must have: 16 hex digits of the hash of everything else in it."""
    return digest(record.model_dump(mode="json", exclude={"run_id"}))[:16]


def write_record(path: Path, record: RunRecord) -> None:
    """Write `record.json` whole or not at all, and only one that can be read back.

    Raises:
        RecordError: It holds what no record may, such as a number beyond 64 bits.
    """
    data = record.model_dump(mode="json")
    try:
        parse_record(json_text(data).encode("utf-8"))
    except ValueError as error:
        raise RecordError(
            seen=f"the record for {path} could not be read back: {error}",
            expected="finite numbers of at most 64 bits, and text in UTF-8",
            do="change what is named; the finished stages stay for the next try",
        ) from error
    write_json(path, data)


def read_record(path: Path) -> RunRecord:
    """Read a record; its contents are checked by `harness.verify`, its form here.

    Raises:
        RecordError: No such file, not JSON, or not a record's fields.
    """
    try:
        record, ignored = parse_record(path.read_bytes())
    except FileNotFoundError as error:
        raise RecordError(
            seen=f"there is no record at {path}",
            expected="record.json of a finished run",
            do="start the run again; it goes on where it was cut off",
        ) from error
    except ValueError as error:
        raise RecordError(
            seen=f"{path} is not a record: {str(error).splitlines()[0]}",
            expected=f"record.json as the harness writes it (schema {SCHEMA_VERSION})",
            do="restore the file, or run again",
        ) from error
    for key in ignored:
        say(f"{path.name}: {key} is ignored: {WHY_IGNORED}")
    return record


def parse_record(text: bytes) -> tuple[RunRecord, tuple[str, ...]]:
    """A record from the bytes of its file, and the words on trust that were in it.

    Those are passed over: they are no part of a record nor of its id.

    Raises:
        ValueError: Not strict JSON, or not a record's fields with values of their very types.
    """
    found = strict_json.parse(text)
    ignored: tuple[str, ...] = ()
    if isinstance(found, dict):
        ignored = tuple(key for key in _TYPED_TRUST if key in found)
        found = {k: v for k, v in found.items() if k not in ignored}
    try:
        # From JSON again: only there does pydantic's strict mode take a list for a tuple.
        return RunRecord.model_validate_json(json.dumps(found), strict=True), ignored
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part)[:80] for part in first["loc"]) or "the whole"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise ValueError(f"{place}: {first['msg']}{more}") from error


def evidence_of(path: Path) -> Evidence:
    """The name and hash of a file, for a record beside it."""
    return Evidence(file=path.name, sha256=file_digest(path))
