"""`harness export`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.board import one_table, rank_table
from harness.board.card import card
from harness.board.view import view_of
from harness.cli.named_runs import named_runs, opened
from harness.cli.output import emit
from harness.cli.tables_here import tables_here, the_table
from harness.export import render
from harness.spec.plugins import load_plugins
from harness.store import PerQueryValues


def export_command(
    runs: Sequence[str], fmt: str, dataset: str | None, protocol: str | None, out: Path
) -> None:
    """Write one table to standard output."""
    if runs:
        store = opened(out)
        found = [run for word in runs for run in named_runs(word, store)]
        evidence = {run.record.run_id: run.record.per_query for run in found}
        table = rank_table(
            one_table(found, load_plugins().methods),
            lambda ids: {one: PerQueryValues(**dict(evidence[one])) for one in ids},
        )
    else:
        here = tables_here(out)
        table = rank_table(the_table(here.tables, dataset, protocol), here.store.per_query)
    print(render(view_of(table), fmt), end="")


def card_command(word: str, out: Path, as_json: bool) -> None:
    """Write the card of one run to standard output."""
    run = named_runs(word, opened(out))[0]
    text = card(run, load_plugins().methods.get(run.record.method))
    if as_json:
        emit({"run_id": run.record.run_id, "card": text})
    else:
        print(text, end="")
