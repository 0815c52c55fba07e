"""What a trained run scored under further protocols, kept beside its record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.base.files import write_json
from harness.evidence.record import PerQuery

FILE = "evaluations.json"
FOLDER = "evaluations"
"""Beside it: each query's outcome, a file for each protocol and data set."""

# A file that somebody made by hand is not read to the end of memory.
_MOST_BYTES = 8 << 20


class Evaluated(BaseModel):
    """One protocol's numbers, in percent, and the weights and data they come from.

    These are no part of the record: nothing stored lets them be computed again without the
    weights. So they have a level of their own, `evaluated`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: str = Field(max_length=100)
    dataset: str = Field(default="", max_length=200)
    """The data set's label; what is from before it was kept is on the data of the run."""
    protocol_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    data_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    pictures_hash: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """Of the images alone; empty in what is from before methods were given captions."""
    weights: str = Field(pattern=r"^[0-9a-f]{64}$")
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float] | None]
    chance: dict[str, float]
    valid_queries: int = Field(ge=0)
    queries: int = Field(ge=0)

    @property
    def outcome_file(self) -> str:
        """Where each query's outcome is, from the run's folder."""
        return f"{FOLDER}/{self.protocol_hash[:12]}-{self.data_hash[:12]}.json"


def keep(folder: Path, weights: str, results: Iterable[Mapping[str, Any]]) -> Path:
    """Write results into a run's folder; one under the same protocol and data takes its place.

    Args:
        folder: Of the run.
        weights: SHA-256 of the weights file; numbers of other weights are dropped.
        results: As `harness evaluate --json` gives them, with each query's outcome as a record has
            it under `per_query`, where it is known.
    """
    found = {(e.protocol_hash, e.data_hash): e for e in read(folder, weights)}
    for result in results:
        fields = {k: result[k] for k in Evaluated.model_fields if k in result}
        one = Evaluated.model_validate({**fields, "weights": weights})
        found[one.protocol_hash, one.data_hash] = one
        place = folder / one.outcome_file
        place.unlink(missing_ok=True)
        if "per_query" in result:
            outcome = PerQuery.model_validate(result["per_query"]).model_dump()
            write_json(place, {"weights": weights, **outcome})
    path = folder / FILE
    write_json(path, [one.model_dump(mode="json") for one in found.values()])
    return path


def copy(folder: Path, to: Path, weights: str) -> None:
    """What is kept for these weights, into another folder of the same run, as it is now."""
    found = read(folder, weights)
    for one in found:
        outcome = outcome_of(folder, one)
        if outcome is not None:
            write_json(to / one.outcome_file, {"weights": weights, **outcome.model_dump()})
    if found:
        write_json(to / FILE, [one.model_dump(mode="json") for one in found])


def outcome_of(folder: Path, one: Evaluated) -> PerQuery | None:
    """Each query's outcome; None where it is not here, damaged, or of other weights."""
    path = folder / one.outcome_file
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        said = json.loads(path.read_text(encoding="utf-8"))
        if said.pop("weights") != one.weights:
            return None
        return PerQuery.model_validate(said)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ValidationError):
        return None


def read(folder: Path, weights: str) -> list[Evaluated]:
    """What is kept for these weights; nothing where there is no file or it is damaged."""
    path = folder / FILE
    try:
        if path.stat().st_size > _MOST_BYTES:
            return []
        rows = json.loads(path.read_text(encoding="utf-8"))
        every = [Evaluated.model_validate(row) for row in rows]
    except (OSError, ValueError, TypeError, ValidationError):
        return []
    return [one for one in every if one.weights == weights]
