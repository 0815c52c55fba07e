"""One thing to know about a data set, as the checker and the linter both say it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from harness.base.errors import (
    DuplicateImageError,
    HarnessError,
    IdentityLeakError,
    ProtocolError,
    UnmatchedQueryError,
)

_ERRORS: dict[str, type[HarnessError]] = {
    "identity-leak": IdentityLeakError,
    "no-query-has-a-match": UnmatchedQueryError,
    "same-bytes-other-identity": DuplicateImageError,
}


class Finding(NamedTuple):
    """One thing to know: an error ends a run before it starts, the others are printed."""

    rule: str
    severity: Literal["error", "warning", "note"]
    """A note is a fact to keep in mind; nothing needs to be done about it."""
    seen: str
    expected: str
    do: str

    def as_error(self) -> HarnessError:
        """The finding as an exception of the kind that belongs to its rule."""
        return _ERRORS.get(self.rule, ProtocolError)(self.seen, self.expected, self.do)


def few(values: Sequence[object], most: int = 6) -> str:
    """The first of many values, and how many more there are."""
    shown = ", ".join(map(str, values[:most]))
    return shown if len(values) <= most else f"{shown} and {len(values) - most} more"
