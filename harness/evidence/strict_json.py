"""JSON that may come from a stranger: one meaning for one text, and nothing that grows."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

MAX_DEPTH = 32
_MAX_INT = 2**63 - 1
# Python itself refuses to convert more digits than a few thousand; nothing of ours has as many.
_MAX_DIGITS = 400


def parse(text: str | bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Refused beyond what JSON refuses: a key given twice, NaN and infinities (also as 1e999), whole
    numbers beyond 64 bits, nesting deeper than 32, and text that is no Unicode.

    Raises:
        ValueError: What is wrong, in one line.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    try:
        found = json.loads(
            text,
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except RecursionError as error:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH}") from error
    _require_plain(found)
    return found


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        count = Counter(key for key, _ in pairs)
        twice = next(key for key, times in count.items() if times > 1)
        raise ValueError(f"the key {twice[:80]!r} is there twice")
    return found


def _refuse_constant(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def _finite(digits: str) -> float:
    number = float(digits) if len(digits) <= _MAX_DIGITS else math.inf
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:20]}… is too large or too long")
    return number


def _whole(digits: str) -> int:
    number = int(digits) if len(digits) <= _MAX_DIGITS else _MAX_INT + 1
    if abs(number) > _MAX_INT:
        raise ValueError(f"the number {digits[:20]}… is beyond 64 bits")
    return number


def _require_plain(value: Any) -> None:
    """Depth and text, without a recursion of our own."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested deeper than {MAX_DEPTH}")
        below: list[Any] = []
        for one in level:
            if isinstance(one, str):
                _require_unicode(one)
            elif isinstance(one, dict):
                for key in one:
                    _require_unicode(key)
                below += one.values()
            elif isinstance(one, list):
                below += one
        level = below


def _require_unicode(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"a text holds half a character: {text[:40]!a}") from error
