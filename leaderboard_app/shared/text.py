"""Text for the page; what comes from a record is untrusted and shown letter by letter."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.evidence.record import METRICS
from harness.export import interval, number

_METRIC_NAMES = {"R1": "Rank-1", "R5": "Rank-5", "R10": "Rank-10"}

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


def metric_name(metric: str) -> str:
    """A metric as people call it."""
    return _METRIC_NAMES.get(metric, metric)


def interval_words(ends: tuple[float, float] | None) -> str | None:
    """A 95 % interval, or nothing where there is none."""
    return None if ends is None else interval(ends)


def chance_sentence(chance: Mapping[str, float]) -> str:
    """What a method that guesses would reach."""
    levels = ", ".join(f"{metric_name(m)} {number(chance.get(m))}" for m in METRICS)
    return f"Chance level: {levels}."


def queries_sentence(queries: int, valid: int) -> str:
    """How many queries the numbers rest on."""
    unmatched = queries - valid
    rest = f"; {unmatched} have no match and are not part of the mean" if unmatched else ""
    return f"{valid} of {queries} queries are valid{rest}."
