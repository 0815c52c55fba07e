"""Which rows of a table are shown, and what hides the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from harness.board import BoardRow
from leaderboard_app.board.presets import PRESETS
from leaderboard_app.shared.rows import kind_of, said


class Filters(NamedTuple):
    """What a visitor asked for; an empty part lets everything through."""

    presets: tuple[str, ...] = ()
    """Chips that are pressed; a row must pass all of them."""
    search: str = ""
    """Words that a row's name, method, backbone or source must hold, in any case."""
    kinds: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()
    selection: tuple[str, ...] = ()
    pretraining: tuple[str, ...] = ()
    backbone: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Rows with any of these."""
    without: tuple[str, ...] = ()
    """Rows with none of these."""
    sweeps: tuple[str, ...] = ()
    """Rows of which one of these sweeps made a run."""
    since: int | None = None
    until: int | None = None


class Outcome(NamedTuple):
    """The rows that are left, and how many each filter alone would hide."""

    rows: tuple[BoardRow, ...]
    hidden: int
    by: dict[str, int]


def apply(rows: Sequence[BoardRow], filters: Filters) -> Outcome:
    """Filter the rows, keeping their order, and account for every one that goes."""
    refusals = {name: [not keeps(row, filters) for row in rows] for name, keeps in _RULES.items()}
    gone = [any(refused[i] for refused in refusals.values()) for i in range(len(rows))]
    by = {name: sum(refused) for name, refused in refusals.items() if any(refused)}
    return Outcome(
        tuple(row for row, away in zip(rows, gone, strict=True) if not away), sum(gone), by
    )


def sentence(outcome: Outcome) -> str:
    """What is hidden and by what; empty where nothing is."""
    if not outcome.hidden:
        return ""
    parts = ", ".join(f"{name} ({count})" for name, count in outcome.by.items())
    rows = "1 row" if outcome.hidden == 1 else f"{outcome.hidden} rows"
    return f"{rows} hidden by: {parts}."


def _one_of(value: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or value in wanted


def _found(row: BoardRow, search: str) -> bool:
    text = " ".join((row.title, row.method, row.backbone, row.source, row.recipe)).lower()
    return all(word in text for word in search.lower().split())


def _in_years(row: BoardRow, filters: Filters) -> bool:
    if filters.since is None and filters.until is None:
        return True
    if row.year is None:
        return False
    return (filters.since or row.year) <= row.year <= (filters.until or row.year)


_RULES = {
    "chips": lambda row, f: all(PRESETS[name].keeps(row) for name in f.presets),
    "search": lambda row, f: _found(row, f.search),
    "kind": lambda row, f: _one_of(kind_of(row), f.kinds),
    "trust": lambda row, f: _one_of(str(row.trust), f.trust),
    "selection": lambda row, f: _one_of(said(row.selection), f.selection),
    "pretraining": lambda row, f: _one_of(said(row.pretraining), f.pretraining),
    "backbone": lambda row, f: _one_of(said(row.backbone), f.backbone),
    "tags": lambda row, f: not f.tags or bool(set(f.tags) & set(row.tags)),
    "tags left out": lambda row, f: not set(f.without) & set(row.tags),
    "sweep": lambda row, f: not f.sweeps or bool(set(f.sweeps) & set(row.sweeps)),
    "year": _in_years,
}
