"""One thing that was checked, and what two lists of values differ in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from harness.base.errors import HarnessError

Status = Literal["holds", "fails", "not checked"]


class Check(NamedTuple):
    """One thing that was checked; it holds when both texts are empty."""

    name: str
    problem: str = ""
    """What the record says and what was computed, where they differ."""
    unchecked: str = ""
    """Why it could not be checked here, which is no failure."""

    @property
    def status(self) -> Status:
        """In one word."""
        if self.problem:
            return "fails"
        return "not checked" if self.unchecked else "holds"


def in_one_line(error: Exception) -> str:
    """What was seen and what was expected."""
    if isinstance(error, HarnessError):
        seen, expected = (text.splitlines()[0] for text in (error.seen, error.expected))
        return f"{seen}; expected {expected}"
    return (str(error).splitlines() or [type(error).__name__])[0]


def difference(said: Any, computed: Any) -> str:
    """Where a record's value is not the one computed again, both."""
    return "" if said == computed else f"the record says {said}, rescoring gives {computed}"


def first_difference(
    said: Sequence[Any],
    computed: Sequence[Any],
    place: Callable[[int], str] = "number {}".format,
    what: str = "the record",
    against: str = "rescoring",
) -> str:
    """How many values differ and the first of them, or nothing.

    Args:
        said: What is written.
        computed: What it should be.
        place: Words for a position.
        what: Where it is written.
        against: Where it was computed or found.
    """
    if len(said) != len(computed):
        return f"{what} has {len(said)} values, {against} gives {len(computed)}"
    wrong = [i for i, (a, b) in enumerate(zip(said, computed, strict=True)) if a != b]
    if not wrong:
        return ""
    first = wrong[0]
    return (
        f"{what} differs in {len(wrong)}, first {place(first)}: "
        f"{what} says {said[first]}, {against} gives {computed[first]}"
    )
