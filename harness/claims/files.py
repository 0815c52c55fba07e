"""Claims in CSV files: the shipped ones, those of plugins, and the user's own."""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.base.errors import DataError, HarnessError, RecordError
from harness.base.files import home_folder, write_text
from harness.claims.model import NUMBERS, PublishedClaim
from harness.spec.plugins import Broken, Plugins

COLUMNS = tuple(PublishedClaim.model_fields)
"""The columns of a claims file, in the order they are written."""
OWN_VARIABLE = "HARNESS_CLAIMS"
GROUP = "harness.claims"


def own_claims_path() -> Path:
    """The user's own claims file: $HARNESS_CLAIMS, or one in the user's data folder.

    Raises:
        HarnessError: Neither is there, since this user has no home folder.
    """
    named = os.environ.get(OWN_VARIABLE)
    if named:
        return Path(named)
    home = home_folder()
    base = os.environ.get("XDG_DATA_HOME") or (home and home / ".local" / "share")
    if base is None:
        raise HarnessError(
            seen="this user has no home folder to keep claims of their own in",
            expected=f"a place for them in ${OWN_VARIABLE}",
            do=f"{OWN_VARIABLE}=/a/folder/claims.csv, and the same command again",
        )
    return Path(base) / "mmreid-harness" / "claims.csv"


def claim_files(plugins: Plugins | None = None) -> list[Path]:
    """Every claims file in use, the user's own last.

    Args:
        plugins: Where an entry point that does not load is noted as broken.

    Raises:
        DataError: The user named a file of their own that is not there.
    """
    found = []
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        try:
            path = entry.load()
            if not isinstance(path, Path) or not path.is_file():
                raise TypeError(f"expected the Path of a CSV file, found {path!r}")
            found.append(path)
        except Exception as error:
            if plugins is not None:
                source = f"{GROUP}: {entry.name} = {entry.value}"
                plugins.broken.append(Broken(source, f"{type(error).__name__}: {error}"))
    with contextlib.suppress(HarnessError):  # without a home folder there are none
        own = own_claims_path()
        if own.is_file():
            found.append(own)
    return found


def load_claims(plugins: Plugins | None = None) -> tuple[PublishedClaim, ...]:
    """Every claim in use, shipped ones first; of two with one id, the first.

    A row or file that is damaged is left out and, with `plugins`, noted as broken; what is wrong
    with it, `check_claims` says.
    """
    found: dict[str, PublishedClaim] = {}
    for path in claim_files(plugins):
        try:
            rows = list(read_rows(path))
        except HarnessError as error:
            note_broken(plugins, path, error.seen)
            continue
        for line, row in rows:
            claim = claim_of(row)
            if isinstance(claim, PublishedClaim):
                found.setdefault(claim.id, claim)
            else:
                note_broken(plugins, path, f"line {line}: {claim}")
    return tuple(found.values())


def read_claims(path: Path) -> tuple[PublishedClaim, ...]:
    """The claims of one file.

    Raises:
        DataError: The file cannot be read, or a row is no claim.
    """
    found = []
    for line, row in read_rows(path):
        claim = claim_of(row)
        if not isinstance(claim, PublishedClaim):
            raise DataError(
                seen=f"{path}, line {line}: {claim}",
                expected="rows as docs/claims.md says",
                do=f"harness claims check {path} lists every problem",
            )
        found.append(claim)
    return tuple(found)


def write_claims(path: Path, claims: Sequence[PublishedClaim]) -> None:
    """Write a claims file whole or not at all; the same claims give the same bytes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for claim in claims:
        writer.writerow([_cell(getattr(claim, name)) for name in COLUMNS])
    write_text(path, text.getvalue())


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with a header, by column, with the line each ends on.

    Raises:
        DataError: There is no such file, it is no CSV, or a row has more cells than the header.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = [name.strip() for name in next(reader, [])]
        if len(set(header)) < len(header) or not any(header):
            raise csv.Error("the first line must name the columns, each once")
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) > len(header):
                raise csv.Error(f"line {reader.line_num} has more cells than there are columns")
            padded = [*cells, *[""] * (len(header) - len(cells))]
            yield reader.line_num, dict(zip(header, padded, strict=True))
    except FileNotFoundError as error:
        raise RecordError(
            seen=f"there is no file {path}",
            expected="a CSV file of claims",
            do="check the path; docs/claims.md says what is in such a file",
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            seen=f"{path} is no CSV file in UTF-8: {error}",
            expected=f"a header with columns of: {', '.join(COLUMNS)}",
            do="save it as CSV; docs/claims.md says what is in it",
        ) from error


def claim_of(row: dict[str, str]) -> PublishedClaim | str:
    """The claim of a row, or what is wrong with it."""
    fields: dict[str, Any] = {name: value.strip(" ") for name, value in row.items()}
    for name in (*NUMBERS, "year"):
        if fields.get(name) == "":
            del fields[name]
    fields["tags"] = tuple(t.strip() for t in str(fields.get("tags", "")).split(";") if t.strip())
    try:
        return PublishedClaim.model_validate(fields)
    except ValidationError as error:
        return "; ".join(_words(e) for e in error.errors())


def _words(error: Any) -> str:
    where = ".".join(map(str, error["loc"]))
    text = str(error["msg"]).removeprefix("Value error, ")
    shown = f" ({error['input']!r:.60})" if where and isinstance(error["input"], str) else ""
    return f"{where}: {text}{shown}" if where else text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ";".join(value)
    return f"{value:g}" if isinstance(value, float) and value < 1e5 else str(value)


def note_broken(plugins: Plugins | None, path: Path, problem: str) -> None:
    """Keep what is wrong with a file or a row of it, where somebody wants to know."""
    if plugins is not None:
        plugins.broken.append(Broken(str(path), problem))
