"""How soon the store answers a board of 5,000 made-up runs, and what its tables take on top."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from harness.bench import Asked, Goal, Row, Spread, interleaved, run_script

RUNS = 5_000


def rows(asked: Asked) -> list[Row]:
    """The store's answer, one table's part of it, and all tables with the published claims."""
    from tests.leaderboard_app.many import LARGE, fill_quickly

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fill_quickly(folder)
        worker = stack.enter_context(asked.worker("benchmarks.board:answers", folder=str(folder)))
        found = worker.run(dataset=None, protocol=None).value
        if found != RUNS:
            raise AssertionError(f"{found} runs")
        dataset, protocol = LARGE
        times = interleaved(
            asked.repeats,
            lambda: worker.run(dataset=None, protocol=None).seconds,
            lambda: worker.run(dataset=dataset, protocol=protocol).seconds,
            lambda: worker.run(dataset=None, protocol=None, tables=True).seconds,
        )
    whole, part, tables = ([1e3 * seconds for seconds in found] for found in times)
    return [
        Row(f"store, all of {RUNS:,} runs", Spread.of(whole), unit="ms", goal=Goal("value", 200)),
        Row("the same store, one table's runs", Spread.of(part), unit="ms"),
        Row("all tables of it and of every claim", Spread.of(tables), unit="ms"),
    ]


def answers(folder: str) -> Callable[..., int]:
    """For a worker: open the store and ask it what a board needs; it says how many runs."""
    from harness.board import board
    from harness.claims import load_claims
    from harness.store import STORE_NAME, Store

    claims = load_claims()

    def work(dataset: str | None, protocol: str | None, tables: bool = False) -> int:
        found = Store(Path(folder) / STORE_NAME).summaries(dataset, protocol)
        if tables:
            board(found, claims)
        return len(found)

    return work


if __name__ == "__main__":
    run_script(__file__, rows, repeats=9)
