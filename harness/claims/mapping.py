"""From the words of papers to our names: protocols, data sets, ids."""

from __future__ import annotations

import re
from collections.abc import Collection

from harness.spec.modality import MODALITIES, in_order

_SET = r"(?:RGB|NIR?|TIR?)(?:\s*[+,&]\s*(?:RGB|NIR?|TIR?))*"
_MISSING = re.compile(rf"^(?:missing\s+|M\s*\(\s*)({_SET})\b", re.IGNORECASE)
_UNLIKE = re.compile(
    rf"^(?:any-to-any\s+|mismatched\s+|cross-modal\s+)?({_SET})\s*(?:->|→|>|to)\s*({_SET})$",
    re.IGNORECASE,
)
_ALONE = re.compile(rf"^(?:single\s+|two-modal\s+)?({_SET})(?:\s+only)?$", re.IGNORECASE)


def protocol_of(text: str, known: Collection[str]) -> str:
    """Our protocol of a paper's words, or nothing where none means the same.

    `full (RGB+NI+TI)`, `missing NIR`, `M(RGB+NI)`, `RGB -> TI`, `two-modal RGB+TI`, and our own
    names. Averages over protocols and zero-shot tests have no protocol of ours.

    Args:
        text: In a paper's words.
        known: The names of the protocols there are.
    """
    words = text.strip()
    if words in known:
        return words
    found = _read(words)
    return found if found in known else ""


def slug(*parts: str) -> str:
    """An id of words: small letters, digits, and `.` between the parts; good in an address."""
    cleaned = [re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts]
    return ".".join(part for part in cleaned if part)[:120].strip(".-")


def id_of(claim: dict[str, str]) -> str:
    """The id of a row that has none: what it is of, and where it was read."""
    names = ("source", "method", "variant", "backbone", "dataset")
    words = [claim.get(name, "") for name in names]
    protocol = claim.get("protocol") or claim.get("protocol_text", "")
    # -TI is not TI: a sign that an id has no place for.
    missing = "missing " if protocol.startswith("-") else ""
    return slug(*words, missing + protocol.replace(">", " to "))


def _read(words: str) -> str:
    if re.match(r"^(all|full)\b", words, re.IGNORECASE):
        return "full"
    missing = _MISSING.match(words)
    if missing:
        return "".join(f"-{m}" for m in _modalities(missing[1]))
    unlike = _UNLIKE.match(words)
    if unlike:
        return ">".join("+".join(_modalities(side)) for side in unlike.groups())
    alone = _ALONE.match(words)
    if alone:
        found = _modalities(alone[1])
        return "full" if len(found) == len(MODALITIES) else "+".join(found)
    return ""


def _modalities(words: str) -> tuple[str, ...]:
    short = {name[:2]: name for name in MODALITIES}
    found = {short[word.strip().upper()[:2]] for word in re.split(r"[+,&]", words)}
    return in_order(found)
