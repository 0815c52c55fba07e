"""Methods, data sets and protocols as people call them; the address keeps their short names."""

from __future__ import annotations

import re

from leaderboard_app.shared.data import all_cards, infos

_SET = {"RGB": "visible", "NI": "near infrared", "TI": "thermal"}
_CHANGED = re.compile(r"[@-]")


def dataset_words(label: str) -> str:
    """RGBNT201 for rgbnt201; a drawn or changed folder keeps what stands behind its card's name."""
    known = all_cards()
    if label in known:
        return known[label].title
    named = [name for name in known if label.startswith(name) and _CHANGED.match(label, len(name))]
    if not named:
        return label
    name = max(named, key=len)
    return f"{known[name].title} {label[len(name) :].lstrip('-')}"


def method_words(name: str) -> str:
    """TOP-ReID for top-reid; one that is not installed keeps its name."""
    known = infos().get(name)
    return known.title or name if known else name


def protocol_words(name: str) -> str:
    """A protocol's title beside its name, such as "-NI: without near infrared"."""
    words = _short(name)
    return f"{name}: {words}" if words else name


def _short(name: str) -> str:
    """What the short names of modality protocols mean; nothing for the others."""
    if name == "full":
        return "all three modalities"
    if name.startswith("-"):
        gone = [part for part in name.split("-") if part]
        return f"without {_listed(gone)}" if all(part in _SET for part in gone) else ""
    sides = name.split(">")
    parts = [side.split("+") for side in sides]
    if not all(part in _SET for side in parts for part in side):
        return ""
    if len(parts) == 2:
        verb = "find" if len(parts[0]) > 1 else "finds"
        return f"{_listed(parts[0])} {verb} {_listed(parts[1])}"
    return f"{_listed(parts[0])} alone" if len(parts) == 1 else ""


def _listed(modalities: list[str]) -> str:
    words = [_SET[m] for m in modalities]
    return " and ".join(words)
