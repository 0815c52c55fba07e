"""Hashes of data, files and code, the same on every machine."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# What Python makes of bytes of a file name that are no UTF-8.
_HALF = re.compile("[\ud800-\udfff]")


def json_text(value: Any, **settings: Any) -> str:
    """JSON that can always be written as UTF-8.

    A file name may hold bytes that are not: they are written as Python reads them back, such as
    `\\udcca`.
    """
    text = json.dumps(value, ensure_ascii=False, **settings)
    return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: one text for one value."""
    return json_text(value, sort_keys=True, separators=(",", ":"))


def digest(value: Any) -> str:
    """SHA-256, as hex, of a JSON-ready value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256, as hex, of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest(places: Iterable[Path]) -> str:
    """SHA-256 of the Python source under the given files and folders.

    Names enter relative to their place, so that the same code has the same hash wherever it is
    installed.
    """
    rows = []
    for number, place in enumerate(places):
        files = [place] if place.is_file() else sorted(place.rglob("*.py"))
        for file in files:
            name = file.name if place.is_file() else file.relative_to(place).as_posix()
            rows.append([number, name, file_digest(file)])
    return digest(rows)


def derive_seed(*parts: int | str) -> int:
    """A 63-bit seed from numbers and words, so that streams for other purposes are unrelated."""
    text = canonical_json(list(parts)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1
