"""What makes a recipe another one than the recipe it builds on."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any, NoReturn

from harness.spec.recipe import Recipe

MODIFIED = "modified"
NOT_SET = {
    "name": "give the recipe a file of its own and name that: --recipe FILE.toml",
    "track": "the harness finds it: a changed recipe is modified",
    "source": "the harness writes what was changed into it",
    "method": "--method NAME",
    "dataset": "--dataset NAME_OR_FOLDER",
    "protocol": "--protocol NAME",
}
"""Keys that say what a recipe is, which no one sets; each with what to do instead."""

_CHANGED_FROM = "changed from "
_LONGEST = 2_000
# "epochs = 2, input.mean = [0.5, 0.5, 0.5]": a value ends where the next key begins.
_LISTED = re.compile(r"([a-z][\w.]*) = (.*?)(?=, [a-z][\w.]* = |$)")


def flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings under dotted keys; an empty table is a value."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def as_computed(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's settings, flat, as they are shown: exact mode is float32, whatever it says."""
    found = flat(recipe)
    if "precision" in found and recipe.get("mode", "exact") == "exact":
        found["precision"] = "float32"
    return found


def changes(base: Recipe, recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in which a recipe differs from its base, by dotted key; the method's own first.

    Args:
        base: The unchanged one.
        recipe: As a record has it. A key that it lacks is an option it is older than, and no
            difference.
    """
    before, now = as_computed(base.dumped()), as_computed(recipe)
    other = {k: v for k, v in now.items() if k not in NOT_SET and before.get(k) != v}
    return dict(sorted(other.items(), key=lambda item: not item[0].startswith("config.")))


def changed_source(base: str, changed: Mapping[str, Any]) -> str:
    """What the `source` of a changed recipe says; `base_named` reads it."""
    listed = ", ".join(f"{key} = {value_text(value)}" for key, value in changed.items())
    text = f"{_CHANGED_FROM}{base}: {listed}"
    # A record from elsewhere may not hold longer texts.
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def base_named(source: str) -> str:
    """The name of the recipe that a changed one's `source` says it builds on, or nothing."""
    return _parts(source)[0]


def changes_named(source: str) -> dict[str, Any]:
    """The changes that a changed recipe's `source` lists, by key; nothing for any other."""
    return {key: value_of(text) for key, text in _LISTED.findall(_parts(source)[1])}


def _parts(source: str) -> tuple[str, str]:
    name, colon, listed = source.removeprefix(_CHANGED_FROM).partition(": ")
    said = colon and source.startswith(_CHANGED_FROM)
    return (name, listed) if said else ("", "")


def value_text(value: Any) -> str:
    """A value as it is typed after `--set KEY=`; `value_of` reads the very value back.

    JSON, which for numbers, truths, texts and lists is TOML too; what TOML lacks, such as null, is
    read as JSON.
    """
    return json.dumps(value, ensure_ascii=False)


def value_of(text: str) -> Any:
    """The value of a text after `--set KEY=`: TOML, else JSON, else the very text."""
    try:
        found = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        found = {}
    # A text with line breaks may be a whole file, of which nothing but a value is meant here.
    if found.keys() == {"value"}:
        return found["value"]
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text


def _no_number(word: str) -> NoReturn:
    # JSON has neither NaN nor Infinity; as bare words they are texts.
    raise ValueError(word)
