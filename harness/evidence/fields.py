"""The fields of a stranger's record, each held against what it may be before anyone is shown it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.evidence.record import RunRecord
from harness.evidence.written import invalid
from harness.spec.dataset import Split, SplitCounts

_HEX64 = re.compile(r"[0-9a-f]{64}")
_FIELDS = {
    "run_id": re.compile(r"[0-9a-f]{16}"),
    "recipe_hash": _HEX64,
    "protocol_hash": _HEX64,
    "code_hash": _HEX64,
    "inputs_hash": _HEX64,
    "data_hash": _HEX64,
    "method": re.compile(r"[a-z0-9][a-z0-9._-]{0,63}"),
    # Protocols are called such things as -NI, RGB+TI>NI and RGB>TI@regdb.
    "protocol_name": re.compile(r"[A-Za-z0-9-][A-Za-z0-9._+@>-]{0,127}"),
    "dataset_label": re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,127}"),
    "missing_policy": re.compile(r"none|zero_normalised|skip_branch|impute|native"),
    "selection": re.compile(r"[a-z]{1,32}"),
    "harness_version": re.compile(r"[A-Za-z0-9.+! -]{1,64}"),
}
_RECIPE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_DEVICE = re.compile(r"[a-z]{2,8}(:\d{1,2})?")
# What a page would read as a tag; a lone "<" as in "a < b" is text.
_TAG = re.compile(r"<[A-Za-z/!?]")
_COSTS = (
    "parameters",
    "trained_parameters",
    "gflops",
    "descriptor",
    "latency_ms",
    "training_seconds",
    "peak_memory_mib",
    "throughput",
)
_WHOLE = ("parameters", "trained_parameters", "descriptor")
_LONGEST = 10_000
_LONGEST_NAME = 255
_LINES = "\n\t"


class _CaptionsSaid(BaseModel):
    """What it gives of captions, for a method that was given some."""

    model_config = ConfigDict(extra="forbid", strict=True)

    hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    images: int = Field(ge=0)
    captioned: int = Field(ge=0)


class _DataSaid(BaseModel):
    """What `harness.data.open.OpenDataset.summary` gives."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$")
    label: str
    data_hash: str
    file_list_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    published_list: bool
    made_like: str | None
    made_from: dict[str, Any] | None
    accepted_variant: Any
    counts: dict[Split, SplitCounts]
    pixels: list[str] = Field(default_factory=list)
    pictures_hash: str = Field(default="0" * 64, pattern=r"^[0-9a-f]{64}$")
    captions: _CaptionsSaid | None = None


def field_problem(record: RunRecord) -> str:
    """The first field that a run of ours would not have written so, or nothing."""
    return next((problem for problem in _problems(record) if problem), "")


def _problems(record: RunRecord) -> Iterator[str]:
    for field, pattern in _FIELDS.items():
        value = str(getattr(record, field))
        if not pattern.fullmatch(value):
            yield f"{field} is {value[:80]!a}"
    if not _RECIPE_NAME.fullmatch(str(record.recipe.get("name"))):
        yield f"the recipe's name is {str(record.recipe.get('name'))[:80]!a}"
    if not _DEVICE.fullmatch(str(record.environment.get("device"))):
        yield f"the device is {str(record.environment.get('device'))[:80]!a}"
    for name, one in record.evidence.items():
        if not _HEX64.fullmatch(one.sha256):
            yield f"evidence.{name[:40]!a} has the hash {one.sha256[:80]!a}"
    yield _data_problem(record.dataset)
    yield _time_problem(record.created)
    for name in record.per_query.names:
        if not 0 < len(name) <= _LONGEST_NAME or not plain(name, ""):
            yield f"a sample is called {name[:80]!a}"
    yield from _cost_problems(record.cost)
    yield from _text_problems(record.model_dump(mode="json", exclude={"per_query"}), "record")


def plain(text: str, spare: str = _LINES) -> bool:
    """Whether a text has no tag and no character that is not seen or changes how others are.

    Args:
        text: The text.
        spare: Control characters that may be in it.
    """
    if _TAG.search(text):
        return False
    # Control, format (such as the marks that turn the direction of writing), half characters,
    # private, unassigned; line and paragraph separators.
    odd = (unicodedata.category(c) for c in text if c not in spare)
    return not any(kind[0] == "C" or kind in ("Zl", "Zp") for kind in odd)


def _data_problem(said: dict[str, Any]) -> str:
    try:
        _DataSaid.model_validate(said)
    except ValidationError as error:
        return f"dataset.{invalid(error)[:160]!a}"
    return ""


def _time_problem(created: str) -> str:
    try:
        when = datetime.fromisoformat(created)
    except ValueError:
        return f"created is {created[:80]!a}, no time"
    return "" if when.tzinfo is not None and len(created) <= 40 else "created has no time zone"


def _cost_problems(cost: dict[str, Any]) -> Iterator[str]:
    for name in _COSTS:
        value = cost.get(name)
        if value is None:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or value < 0 or (name in _WHOLE and not isinstance(value, int)):
            yield f"cost.{name} is {str(value)[:80]!a}"


def _text_problems(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) > _LONGEST or not plain(value):
            yield f"{place} holds {value[:80]!a}"
    elif isinstance(value, dict):
        for key, inner in value.items():
            if len(key) > _LONGEST_NAME or not plain(key, ""):
                yield f"{place} has the key {key[:80]!a}"
            yield from _text_problems(inner, f"{place}.{key[:40]}")
    elif isinstance(value, list):
        for inner in value:
            yield from _text_problems(inner, place)
