"""What rows are called, so that no two of a table read alike: a method, and what sets it apart."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from harness.board.rows import OF_RUN, BoardRow
from harness.spec.changes import changes_named
from harness.spec.known import KnownRecipes
from harness.spec.method import MethodInfo
from harness.spec.text import without_captions
from harness.store import Summary

BETWEEN = " · "

_MOST_SAID = 4
_LONGEST = 40
# A key whose last word alone says too little.
_WORDS = {
    "optimiser.name": "optimiser",
    "schedule.kind": "schedule",
    "sampler.identities": "P",
    "sampler.instances": "K",
}
_SIZE = ("input.height", "input.width")


class Names:
    """Names of runs, by the recipes of the methods that are installed.

    Args:
        infos: The installed methods by name.
    """

    def __init__(self, infos: Mapping[str, MethodInfo]) -> None:
        self._infos = infos
        self.recipes = KnownRecipes(infos)

    def family(self, run: Summary) -> str:
        """The method as it is called in print."""
        info = self._infos.get(run.method)
        return (info.title if info else "") or run.method

    def variant(self, run: Summary) -> str:
        """What a run has otherwise than its method's own recipe; empty for that recipe itself.

        Its changes where it is a changed recipe, such as `convnext_atto · 2 epochs`, and the
        recipe's name where it is another recipe of the method, such as `common`. Of a method that
        is not installed, what its source says was changed.
        """
        settings = _settings(run)
        if run.method not in self._infos:
            return BETWEEN.join(_said(changes_named(str(settings.get("source", ""))), settings))
        changed = self.recipes.changes(run.method, settings)
        if changed:
            return BETWEEN.join(_said(changed, settings))
        named = without_captions(run.dataset)
        return "" if self.track(run) == "official" and run.recipe == named else run.recipe

    def track(self, run: Summary) -> str:
        """official, common, smoke or modified; see `KnownRecipes.track`."""
        on = (run.dataset, run.protocol)
        if OF_RUN in run.run_id:
            # The recipe is that of another protocol's training.
            settings = _settings(run)
            on = (str(settings.get("dataset")), str(settings.get("protocol")))
        return self.recipes.track(run.track, run.method, run.recipe, run.recipe_hash, on)

    def of_run(self, run: Summary) -> str:
        """Method and variant; `told_apart` adds what several rows of a table need beyond it."""
        return BETWEEN.join(filter(None, [self.family(run), self.variant(run)]))


class Folded(NamedTuple):
    """A row with the variants of the same method that are shown under it when asked for."""

    row: BoardRow
    under: tuple[BoardRow, ...]


def folded(rows: Sequence[BoardRow]) -> list[Folded]:
    """Claims' variants and ablations under the claim of the method itself; runs as they are.

    The order stays: a family stands where the first of it that is no variant stands, or where its
    first variant does if every one is a variant. Of several claims of one method, such as its
    authors' and others', each has a row of its own and the first-hand one has the variants.

    Args:
        rows: Of one table, in the order they are to stand in.
    """
    heads: dict[str, str] = {}
    for wanted in (_is_own, _is_main, _is_any):
        for row in rows:
            if row.kind == "claim" and wanted(row):
                heads.setdefault(row.family, row.key)
    under: dict[str, list[BoardRow]] = defaultdict(list)
    for row in rows:
        if row.kind == "claim" and row.variant and heads[row.family] != row.key:
            under[heads[row.family]].append(row)
    hidden = {row.key for found in under.values() for row in found}
    return [Folded(row, tuple(under[row.key])) for row in rows if row.key not in hidden]


def told_apart(rows: Sequence[BoardRow]) -> list[BoardRow]:
    """The rows, with as much added to titles that are alike as tells them apart.

    Claims: the backbone, then where they were read, where the authors' own stays as it is if it is
    the only one. Runs: the recipe, the code, and at last the id.
    """
    found = list(rows)
    for kind, ways in (("claim", _CLAIM_WAYS), ("run", _RUN_WAYS)):
        for way in ways:
            _add(found, kind, way)
    return found


def _add(rows: list[BoardRow], kind: str, way: Callable[[BoardRow], str]) -> None:
    alike: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if row.kind == kind:
            alike[row.title].append(place)
    for places in alike.values():
        if len({way(rows[place]) for place in places}) > 1:
            for place in places:
                row, more = rows[place], way(rows[place])
                rows[place] = row._replace(title=BETWEEN.join(filter(None, [row.title, more])))


def _read_in(row: BoardRow) -> str:
    return f"in {row.source}" if "second-hand" in row.tags else ""


_CLAIM_WAYS: tuple[Callable[[BoardRow], str], ...] = (
    lambda row: row.backbone,
    _read_in,
    lambda row: f"in {row.source}" if not _read_in(row) else "",
    lambda row: row.key,
)
_RUN_WAYS: tuple[Callable[[BoardRow], str], ...] = (
    lambda row: row.recipe,
    lambda row: f"selected on {row.selection}",
    lambda row: f"code {row.code_hash[:6]}",
    lambda row: row.run_ids[0][:8],
)


def _is_own(row: BoardRow) -> bool:
    return not row.variant and "second-hand" not in row.tags


def _is_main(row: BoardRow) -> bool:
    return not row.variant


def _is_any(row: BoardRow) -> bool:
    return True


def _settings(run: Summary) -> dict[str, Any]:
    try:
        found = json.loads(run.settings)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _said(changed: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """Differences in words, the first few of many."""
    found, size = [], False
    for key, value in changed.items():
        if key in _SIZE:
            # Height and width are one thing to a reader.
            if not size:
                found.append(_size(settings))
            size = True
            continue
        found.append(_one(key, value))
    if len(found) > _MOST_SAID:
        found = [*found[: _MOST_SAID - 1], f"{len(found) - _MOST_SAID + 1} more"]
    return found


def _size(settings: Mapping[str, Any]) -> str:
    given = settings.get("input")
    given = given if isinstance(given, Mapping) else {}
    return f"{_short(given.get('height'))}×{_short(given.get('width'))}"


def _one(key: str, value: Any) -> str:
    last = key.rpartition(".")[2]
    word = _WORDS.get(key) or last.replace("_", " ")
    if key == "epochs":
        return "1 epoch" if value == 1 else f"{_short(value)} epochs"
    if last == "backbone":
        return _short(value)
    if isinstance(value, bool):
        return f"{word} {'on' if value else 'off'}"
    if isinstance(value, str) and "/" in value:
        # The folders of a weights file are of somebody's machine.
        return f"{word} {_short(value.rpartition('/')[2])}"
    return f"{word} {_short(value)}"


def _short(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return ",".join(map(_short, value))[:_LONGEST]
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
