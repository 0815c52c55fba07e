"""`harness export`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from harness.base.errors import HarnessError, UnknownNameError
from harness.board import BoardTable, PerQuery, one_table, rank_table
from harness.board.card import card
from harness.board.marks import marks_of
from harness.board.paper import GROUPS, Asked, By, chosen_lines, paper_view
from harness.board.view import view_of
from harness.cli.asked import groups_of
from harness.cli.named_runs import named_runs, opened
from harness.cli.output import emit
from harness.cli.tables_here import Here, tables_here, the_table
from harness.export import is_label, render
from harness.spec.plugins import load_plugins
from harness.store import PerQueryValues, Store


def export_command(
    words: Sequence[str],
    fmt: str,
    dataset: str | None,
    protocols: Sequence[str],
    asked: Asked,
    out: Path,
) -> None:
    """Write one table to standard output: everything it says, or what a paper prints of it.

    Args:
        words: Rows; without a data set and protocol, runs that make a table of their own.
        fmt: One of `harness.export.FORMATS`.
        dataset, protocols: Which table, or which of one data set stand side by side.
        asked: What a paper prints; LaTeX is always so.
        out: Where runs are kept.
    """
    if words and dataset is None and not protocols:
        tables, per_query = _of_runs(words, opened(out))
        asked = asked._replace(rows=tuple(one for row in tables[0].rows for one in row.run_ids))
    else:
        here = tables_here(out)
        names = _expanded(protocols, here) or [None]
        tables = [the_table(here.tables, dataset, one) for one in names]
        per_query = here.per_query
        asked = asked._replace(rows=tuple(words))
    if fmt == "latex" or len(tables) > 1 or asked._replace(rows=()) != Asked():
        view = paper_view(tables, per_query, asked)
    else:
        table = rank_table(tables[0], per_query)
        view = view_of(
            _only(table, words) if dataset or protocols else table, marks_of(table, per_query)
        )
    print(render(view, fmt), end="")


def asked_of(metrics: Sequence[str], by: str, baseline: str, caption: str, label: str) -> Asked:
    """What the options of a paper ask for.

    Raises:
        UnknownNameError: No such metric or group.
        HarnessError: A label that LaTeX could take for a command.
    """
    if by and by not in GROUPS:
        raise UnknownNameError("group", by, GROUPS)
    if not is_label(label):
        raise HarnessError(
            seen=f"--label {label}",
            expected="letters, digits and . : _ - only, such as tab:rgbnt201",
            do="write it so",
        )
    plain = Asked()
    return Asked(
        metrics=tuple(metrics) or plain.metrics,
        by=cast(By, by),
        baseline=baseline,
        caption=caption,
        label=label,
    )


def _of_runs(words: Sequence[str], store: Store) -> tuple[list[BoardTable], PerQuery]:
    """Named runs as a table of their own; they need not be in the store."""
    found = [run for word in words for run in named_runs(word, store)]
    evidence = {run.record.run_id: run.record.per_query for run in found}
    table = one_table(found, load_plugins().methods)
    return [table], lambda ids: {i: PerQueryValues(**dict(evidence[i])) for i in ids}


def _expanded(protocols: Sequence[str], here: Here) -> list[str | None]:
    """Names of protocols, and the members of groups of them."""
    groups = groups_of(here.plugins)
    words = [[p.name for p in groups[w]] if w in groups else [w] for w in protocols]
    return list(dict.fromkeys(name for some in words for name in some))


def _only(table: BoardTable, words: Sequence[str]) -> BoardTable:
    if not words:
        return table
    chosen = {row.key for line in chosen_lines([table], words) for row in line.rows if row}
    return table._replace(rows=tuple(row for row in table.rows if row.key in chosen))


def card_command(word: str, out: Path, as_json: bool) -> None:
    """Write the card of one run to standard output."""
    run = named_runs(word, opened(out))[0]
    text = card(run, load_plugins().methods.get(run.record.method))
    if as_json:
        emit({"run_id": run.record.run_id, "card": text})
    else:
        print(text, end="")
