"""Numbers that a record, a store and an array can all keep, and words for those that are none."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from harness.base.errors import RecipeError

LARGEST = 2**63 - 1
"""Of whole numbers: stores and arrays keep them in 64 bits with a sign."""

_SEEDS = f"different whole numbers from 0 to {LARGEST} with commas between"


def require_seed(seed: int) -> int:
    """The seed, if it is one.

    Raises:
        RecipeError: It is negative or beyond 63 bits.
    """
    if 0 <= seed <= LARGEST:
        return seed
    raise RecipeError(
        seen=f"--seed {seed}",
        expected=f"a whole number from 0 to {LARGEST}",
        do=f"--seed {abs(seed) % (LARGEST + 1)}",
    )


def parse_seeds(text: str) -> tuple[int, ...]:
    """The seeds after `--seeds`.

    Raises:
        RecipeError: Not different whole numbers in the range of seeds with commas between.
    """
    try:
        found = tuple(int(word) for word in text.split(","))
    except ValueError:
        found = ()
    if not found or len(set(found)) < len(found) or not all(0 <= s <= LARGEST for s in found):
        raise RecipeError(seen=f"--seeds {text[:200]}", expected=_SEEDS, do="--seeds 1,2,3")
    return found


def unkept(values: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The first value that a record could not be read back with, and its dotted key; or None.

    Whole numbers beyond 64 bits, NaN and infinities, and text that is no Unicode.
    """
    return next(_unkept(values, ""), None)


def _unkept(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _unkept(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _unkept(inner, key)
    elif not _is_kept(value):
        yield key, value


def _is_kept(value: Any) -> bool:
    if isinstance(value, int):
        return abs(value) <= LARGEST
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        # Half a character is all that UTF-8 does not know.
        return len(value.encode("utf-8", "ignore").decode("utf-8")) == len(value)
    return True
