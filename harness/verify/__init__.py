"""Checking a record against its evidence, its data set and its protocol, number by number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from harness.base.errors import HarnessError, RecordError
from harness.evidence.check import Check, in_one_line
from harness.evidence.record import WHY_IGNORED, RunRecord, parse_record
from harness.evidence.written import EVIDENCE, checks_of_itself, checks_of_protocol
from harness.spec.plugins import load_plugins
from harness.spec.protocol import BoundProtocol
from harness.verify.data import Finder, checks_of_data
from harness.verify.rescoring import checks_of_numbers, read_sides

__all__ = ["Check", "Finder", "Found", "checks_of", "failures", "read", "verify"]


class Found(NamedTuple):
    """A record that is to be checked, and the folder of its evidence."""

    record: RunRecord
    folder: Path
    ignored: tuple[str, ...]
    """Words on trust that someone wrote into the file."""


def verify(path: Path, finder: Finder | None = None) -> list[Check]:
    """Check the record at `path` with the evidence beside it.

    Rescoring proves the arithmetic from the stored descriptors, not the descriptors.

    Args:
        path: A run's `record.json`.
        finder: Where the data set is looked for; by default where `harness run` looks.

    Raises:
        RecordError: The file is no record at all.
    """
    return list(checks_of(read(path), finder or Finder(load_plugins())))


def read(path: Path) -> Found:
    """A record with its folder, before anything is checked.

    Raises:
        RecordError: No such file, or no record.
    """
    try:
        record, ignored = parse_record(path.read_bytes())
    except (ValueError, OSError) as error:
        raise RecordError(
            seen=f"{path} is not a record: {in_one_line(error)}",
            expected="record.json of a finished run",
            do="restore the file, or run again",
        ) from error
    return Found(record, path.parent, ignored)


def checks_of(found: Found, finder: Finder, most_pairs: int | None = None) -> Iterator[Check]:
    """Every check of a record, one after the other, cheap ones first.

    Args:
        found: The record.
        finder: Where the data set is looked for.
        most_pairs: The most queries times gallery entries that are scored; None for any.

    Raises:
        HarnessError: The data set named by --dataset cannot be opened.
    """
    record, folder = found.record, found.folder
    for key in found.ignored:
        yield Check("trust", unchecked=f"{key} in the record is ignored: {WHY_IGNORED}")
    yield from checks_of_itself(record, folder)
    yield from checks_of_protocol(record, finder.card(record), finder.known)
    try:
        protocol = BoundProtocol.model_validate(record.protocol)
        sides = read_sides(folder / EVIDENCE["features"], most_pairs)
    except ValidationError:
        yield Check("rescoring", "there is no protocol to score under")
        return
    except (HarnessError, ValueError) as error:
        yield Check("features", in_one_line(error))
        return
    yield from checks_of_data(record, protocol, *sides, finder)
    yield from checks_of_numbers(record, protocol, sides, folder / EVIDENCE["ranks"])


def failures(checks: list[Check]) -> list[Check]:
    """Those that fail."""
    return [check for check in checks if check.problem]
