"""What was measured as rows: for a program, for a terminal, and between markers of a page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from harness.base.errors import HarnessError
from harness.base.files import write_text
from harness.bench.measure import Spread

Kind = Literal["times", "share", "value"]

_COLUMNS = ("what", "ours", "peer", "ratio", "goal", "reached", "floor", "floor / ours")


@dataclass(frozen=True)
class Goal:
    """What a row should reach.

    Attributes:
        kind: "times": the peer's over ours, at least; "share": ours over the peer's, at most;
            "value": ours itself, at most.
        limit: That number, for "value" in the row's unit.
    """

    kind: Kind
    limit: float

    def reached(self, row: Row) -> bool | None:
        """Whether the median is there; None where it was not measured."""
        found = row.ours if self.kind == "value" else row.ratio
        if found is None:
            return None
        return found.median >= self.limit if self.kind == "times" else found.median <= self.limit


@dataclass(frozen=True)
class Row:
    """One claim.

    Attributes:
        what: In a few words, with the sizes.
        ours: Of all repeats, in `unit`.
        peer: The same of the other side.
        ratio: Of the pairs of one round each, the peer's over ours or, where the goal is a
            "share", ours over the peer's; not the ratio of the medians.
        unit: Of ours, peer and floor: s, ms, MiB, images/s and the like.
        floor: What the machine's arithmetic or memory takes at least, in the same unit.
        note: Whatever else a reader must know: what the digits did, why it was not measured.
    """

    what: str
    ours: Spread | None = None
    peer: Spread | None = None
    ratio: Spread | None = None
    unit: str = "s"
    goal: Goal | None = None
    floor: float | None = None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """With whether the goal is reached; a spread as its median, low and high."""
        found = asdict(self)
        for name in ("ours", "peer", "ratio"):
            spread = getattr(self, name)
            found[name] = None if spread is None else spread._asdict()
        found["reached"] = None if self.goal is None else self.goal.reached(self)
        return found

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Row:
        """The row that `as_json` made it of."""
        told = {name: value for name, value in found.items() if name != "reached"}
        for name in ("ours", "peer", "ratio"):
            told[name] = None if told[name] is None else Spread(**told[name])
        told["goal"] = None if told["goal"] is None else Goal(**told["goal"])
        return cls(**told)


def markdown(rows: list[Row], footer: str) -> str:
    """A table, its notes and a line below it that says how it was made."""
    lines = [f"| {' | '.join(line)} |" for line in cells(rows)]
    lines.insert(1, "|" + "---|" * len(_COLUMNS))
    notes = [f"({number}) {note}" for number, note in enumerate(notes_of(rows), 1)]
    return "\n".join([*lines, "", *(f"{note}  " for note in notes), footer])


def cells(rows: list[Row]) -> list[list[str]]:
    """The head of a table and a line for each row, as text; a number in brackets is a note's."""
    notes = notes_of(rows)
    marks = [f" ({notes.index(row.note) + 1})" if row.note else "" for row in rows]
    found = [[row.what + mark, *_cells(row)] for row, mark in zip(rows, marks, strict=True)]
    return [list(_COLUMNS), *found]


def notes_of(rows: list[Row]) -> list[str]:
    """Each note once."""
    return list(dict.fromkeys(row.note for row in rows if row.note))


def _cells(row: Row) -> list[str]:
    reached = None if row.goal is None else row.goal.reached(row)
    share = None
    if row.floor is not None and row.ours is not None:
        # Of a rate, the floor is a ceiling: the share is then ours over it.
        share = row.floor / row.ours.median
        share = 1 / share if row.unit.endswith("/s") else share
    return [
        _spread(row.ours, row.unit) or "not measured",
        _spread(row.peer, row.unit),
        _spread(row.ratio, ""),
        "" if row.goal is None else _goal(row.goal, row.unit),
        {True: "yes", False: "no", None: ""}[reached],
        "" if row.floor is None else f"{_digits(row.floor)} {row.unit}",
        "" if share is None else f"{100 * share:.3g} %",
    ]


def _goal(goal: Goal, unit: str) -> str:
    limit = _digits(goal.limit)
    return {
        "times": f"at least {limit} times",
        "share": f"at most {limit} of it",
        "value": f"under {limit} {unit}",
    }[goal.kind]


def _spread(found: Spread | None, unit: str) -> str:
    if found is None:
        return ""
    middle = f"{_digits(found.median)} {unit}".rstrip()
    if found.low == found.high:
        return middle
    return f"{middle} ({_digits(found.low)} to {_digits(found.high)})"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def put(page: Path, name: str, block: str) -> None:
    """Put `block` between the markers of `name` on a page; the rest of it stays as it is.

    Without the markers they are added at the end. The page is written whole or not at all.

    Raises:
        HarnessError: One marker without the other, or twice.
    """
    begin, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    whole = f"{begin}\n{block.strip()}\n{end}"
    if text.count(begin) == text.count(end) == 0:
        gap = "\n" * (0 if not text else 1 if text.endswith("\n") else 2)
        write_text(page, f"{text}{gap}{whole}\n")
        return
    start, stop = text.find(begin), text.find(end)
    if text.count(begin) != 1 or text.count(end) != 1 or stop < start:
        raise HarnessError(
            seen=f"{page.name} with {text.count(begin)} times {begin} and "
            f"{text.count(end)} times {end}",
            expected="each of them once, in this order",
            do="mend the two lines; what is between them is written anew each time",
        )
    write_text(page, text[:start] + whole + text[stop + len(end) :])
