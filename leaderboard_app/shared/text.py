"""Text for the page; what comes from a record is untrusted and shown letter by letter."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.evidence.record import METRICS
from harness.export import number

METRIC_NAMES = {"R1": "Rank-1", "R5": "Rank-5", "R10": "Rank-10"}

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# Backslashes do not stop Markdown's bare links, mail addresses, arrows and dashes.
_SEAMS = re.compile(
    r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)(?=[\w-]+\.)|(?<=-)(?=[->])|(?<=<)(?=-)", re.IGNORECASE
)
_WORD_JOINER = "\u2060"


def literal(text: str) -> str:
    """Markdown that shows `text` as it is, on one line."""
    line = " ".join(text.split())
    return _PUNCTUATION.sub(r"\\\1", _SEAMS.sub(_WORD_JOINER, line))


def badge(text: str) -> str:
    """The same for a badge, which puts its own backslashes before brackets."""
    return literal(text).replace("\\[", "[").replace("\\]", "]")


def command(*words: str, out: Path) -> str:
    """A command to copy; nothing in `words` is more to a shell than a word."""
    folder = [] if out == Path("runs") else ["--out", str(out)]
    return shlex.join(["harness", *words, *folder])


def chance_sentence(chance: Mapping[str, float]) -> str:
    """What a method that guesses would reach."""
    levels = ", ".join(f"{METRIC_NAMES.get(m, m)} {number(chance.get(m))}" for m in METRICS)
    return f"Chance level: {levels}."


def queries_sentence(queries: int, valid: int) -> str:
    """How many queries the numbers rest on."""
    unmatched = queries - valid
    rest = f"; {unmatched} have no match and are not part of the mean" if unmatched else ""
    return f"{valid} of {queries} queries are valid{rest}."


def settings(data: Mapping[str, Any], prefix: str = "") -> str:
    """Nested data as lines of `key = value`, the way --set takes them."""
    lines = []
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            lines.append(settings(value, f"{prefix}{key}."))
        else:
            lines.append(f"{prefix}{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines)
