"""How fast the leaderboard answers and what memory it takes, with 5,000 runs and every claim.

Run by hand from the root: python -m benchmarks.leaderboard [--store FOLDER]. It serves a store of
made-up runs with `harness leaderboard` and visits it over Streamlit's own WebSocket, so a time is
from asking for a page until its first table, chart or picture is here, and until all of it is. The
browser's own work is not in it. "Work" is the server's processor time, which a busy machine
stretches less than the clock. Results go into README.md by hand.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from harness.store import STORE_NAME, Store
from tests.leaderboard_app.many import LARGE, fill
from tests.leaderboard_app.visitor import Answer, Moment, Visitor

RUNS, ROWS, SESSIONS = 5_000, 400, 50
COLD_STARTS, VISITS = 3, 5
_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 1024

_Parameters = dict[str, str | list[str]]


class Server(NamedTuple):
    """A running `harness leaderboard`."""

    address: str
    pid: int
    """Of Streamlit's process, not of the command that started it."""

    def work(self) -> float:
        """Processor seconds so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> float:
        """Resident MiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(one for one in lines if one.startswith("VmRSS")).split()[1]) / _MIB


def main() -> None:
    """Measure everything and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, help="a folder of an earlier call, to save a minute")
    given = parser.parse_args().store
    with contextlib.ExitStack() as stack:
        folder = given or Path(stack.enter_context(tempfile.TemporaryDirectory())) / "runs"
        if not (folder / STORE_NAME).exists():
            fill(folder, RUNS, ROWS)
        print(f"load at the start: {os.getloadavg()[0]:.1f}\n")
        print("| page | first content | work | whole page | work | messages |")
        print("|---|---|---|---|---|---|", flush=True)
        run_ids = _runs_of_the_large_table(folder)
        cold(folder)
        with served(folder) as server:
            pages(server, run_ids)
        with served(folder) as server:
            sessions(server, run_ids)
    print(f"\nload at the end: {os.getloadavg()[0]:.1f}")


def cold(folder: Path) -> None:
    """The first page of the first visitor of a new server."""
    found = []
    for _ in range(COLD_STARTS):
        with served(folder) as server, Visitor(server.address, server.work) as visitor:
            found.append(visitor.ask())
    row("board, first visitor of a new server", found)


def pages(server: Server, run_ids: list[str]) -> None:
    """Every page, the first time anybody asks for it and then again."""
    one, two = run_ids[:2]
    plan: dict[str, tuple[str, _Parameters]] = {
        "board": ("", {}),
        "board, filtered": ("", {"kind": "run here"}),
        "progress": ("progress", {}),
        "claimed": ("claimed", {}),
        "run": ("run", {"run": one}),
        "compare, two runs": ("compare", {"run": [one, two]}),
        "compare, six runs": ("compare", {"run": run_ids[:6]}),
        "queries": ("queries", {"run": one}),
        "queries, two runs": ("queries", {"run": one, "with": two}),
        "embedding": ("embedding", {"run": one}),
        "sets": ("sets", {}),
        "submit": ("submit", {}),
    }
    with Visitor(server.address, server.work) as visitor:
        for name, (page, parameters) in plan.items():
            row(f"{name}, first time", [visitor.ask(page, **parameters)])
        again: dict[str, list[Answer]] = {name: [] for name in plan}
        for _ in range(VISITS):
            for name, (page, parameters) in plan.items():
                again[name].append(visitor.ask(page, **parameters))
    for name, answers in again.items():
        row(f"{name}, again", answers)


def sessions(server: Server, run_ids: Sequence[str]) -> None:
    """Memory of one visitor and of many, each looking at other runs on every page."""
    print("\n| memory of the server | MiB |\n|---|---|")
    print(f"| before the first visitor | {server.memory():.0f} |", flush=True)
    with contextlib.ExitStack() as stack:
        for number in range(SESSIONS):
            visitor = stack.enter_context(Visitor(server.address, server.work))
            _look_around(visitor, run_ids, number)
            if number + 1 in (1, 2, 10, SESSIONS):
                word = "visitor has" if number == 0 else "visitors have"
                print(
                    f"| {number + 1} {word} seen every page | {server.memory():.0f} |", flush=True
                )
        crowd = [stack.enter_context(Visitor(server.address)) for _ in range(SESSIONS)]
        started = time.perf_counter()
        with ThreadPoolExecutor(SESSIONS) as pool:
            answers = list(pool.map(lambda visitor: visitor.ask(), crowd))
        taken = time.perf_counter() - started
        print(f"| {SESSIONS} more have opened the board at once | {server.memory():.0f} |")
    time.sleep(2)
    print(f"| a moment after all have left | {server.memory():.0f} |", flush=True)
    firsts = [answer.first.seconds for answer in answers if answer.first is not None]
    print(
        f"\n{SESSIONS} visitors at once: the table after {statistics.median(firsts):.2f} s in the "
        f"median, {max(firsts):.2f} s at most; all done after {taken:.2f} s"
    )


def _look_around(visitor: Visitor, run_ids: Sequence[str], number: int) -> None:
    one, two = run_ids[2 * number], run_ids[2 * number + 1]
    requests: list[tuple[str, _Parameters]] = [
        ("", {}),
        ("", {"sort": "R1"}),
        ("progress", {}),
        ("claimed", {}),
        ("run", {"run": one}),
        ("compare", {"run": [one, two]}),
        ("queries", {"run": one, "with": two}),
        ("embedding", {"run": one}),
        ("sets", {}),
        ("submit", {}),
    ]
    for page, parameters in requests:
        _without_problems(visitor.ask(page, **parameters))


def row(what: str, answers: Sequence[Answer]) -> None:
    """One line: medians, with the largest where there are several."""
    for answer in answers:
        _without_problems(answer)
    firsts = [answer.first for answer in answers if answer.first is not None]
    ends = [answer.done for answer in answers]
    cells = [*_cells(firsts), *_cells(ends), f"{answers[0].size / 1e3:.0f} kB"]
    print(f"| {what} | {' | '.join(cells)} |", flush=True)


def _cells(moments: Sequence[Moment]) -> list[str]:
    if not moments:
        return ["", ""]
    clock, work = ([m[i] for m in moments] for i in (0, 1))
    return [
        f"{statistics.median(values):.2f} s"
        + (f" (at most {max(values):.2f})" if len(values) > 1 else "")
        for values in (clock, work)
    ]


def _without_problems(answer: Answer) -> None:
    if answer.problems:
        raise SystemExit(f"the page shows {answer.problems}")


def _runs_of_the_large_table(folder: Path) -> list[str]:
    found = Store(folder / STORE_NAME).summaries(*LARGE)
    return [one.run_id for one in sorted(found, key=lambda s: (s.recipe, s.seed))]


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Server]:
    """A new server on an --out folder, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["leaderboard", "--out", str(folder), "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-c", "from harness.cli import main; main()", *words],
        env={**os.environ, "STREAMLIT_SERVER_HEADLESS": "true"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # The command starts Streamlit as a child; its group ends both.
        start_new_session=True,
    )
    try:
        while not _answers(f"http://127.0.0.1:{port}/_stcore/health"):
            if process.poll() is not None:
                raise SystemExit("harness leaderboard did not start")
            time.sleep(0.1)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield Server(f"http://127.0.0.1:{port}/", int(children[0]))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    main()
