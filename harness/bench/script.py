"""What every script of `benchmarks/` has in common: its options, and how it tells its rows."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.base.errors import HarnessError
from harness.bench.machine import Machine
from harness.bench.peers import commit_of, given_peers, known_peers
from harness.bench.table import Row, markdown, put
from harness.bench.worker import Worker

PAGE = "README.md"


@dataclass(frozen=True)
class Asked:
    """What the user asked a script for.

    Attributes:
        name: Of the script.
        benchmarks: The folder it lies in.
        peers: The checkouts given, by name.
        repeats: Rounds; slow parts say in a note how many they took.
        threads: Of each side alike.
        device: Whose limits count: cpu, or auto for the GPU where there is one.
    """

    name: str
    benchmarks: Path
    peers: dict[str, Path]
    repeats: int
    threads: int
    device: str = "cpu"

    def worker(self, target: str, **arguments: Any) -> Worker:
        """A process of its own, with the threads asked for; use it in a `with` block."""
        return Worker(target, arguments, threads=self.threads, root=self.benchmarks.parent)

    @cached_property
    def machine(self) -> Machine:
        """What this machine is and can do, measured on first use (seconds)."""
        given = {"threads": self.threads, "device": self.device}
        with self.worker("harness.bench.machine:measured", **given) as worker:
            return Machine(**worker.run().value)

    @property
    def command(self) -> str:
        """What makes these rows again, with the paths as the reader's own."""
        peers = "".join(f" --peer {name}=PATH" for name in sorted(self.peers))
        return f"python -m benchmarks.{self.name} --repeats {self.repeats}{peers}"


def run_script(
    file: str,
    rows: Callable[[Asked], list[Row]],
    *,
    peers: Sequence[str] = (),
    repeats: int = 5,
    device: str = "cpu",
    words: Sequence[str] | None = None,
) -> None:
    """Answer a script's command line; an error is three lines and exit code 2.

    Args:
        file: The script's `__file__`.
        rows: What measures.
        peers: Names of `benchmarks/peers/peers.toml` that the script can hold us against.
        repeats: Unless the user asks for another number.
        device: As of `Asked`.
        words: Of the command line, without the program.
    """
    path = Path(file).resolve()
    known = {n: p for n, p in known_peers(path.parent).items() if n in peers}
    given = _parser(path, sorted(known), repeats).parse_args(words)
    try:
        repeats, threads = max(1, given.repeats), max(1, given.threads)
        checkouts = given_peers(given.peer, known)
        asked = Asked(path.stem, path.parent, checkouts, repeats, threads, device)
        _answer(asked, rows, given.write, given.json)
    except HarnessError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def _parser(path: Path, peers: list[str], repeats: int) -> argparse.ArgumentParser:
    about = sys.modules["__main__"].__doc__ or path.stem
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{path.stem}", description=about)
    where = f"a checkout of a peer, by name ({', '.join(peers)}); repeatable"
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PATH", help=where)
    parser.add_argument("--repeats", type=int, default=repeats, help=f"rounds; default {repeats}")
    parser.add_argument(
        "--threads", type=int, default=_cores(), help="of each side; default: all cores"
    )
    parser.add_argument(
        "--write", action="store_true", help=f"also write the table into benchmarks/{PAGE}"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    return parser


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _answer(asked: Asked, rows: Callable[[Asked], list[Row]], write: bool, as_json: bool) -> None:
    found = rows(asked)
    block = "" if as_json and not write else markdown(found, _footer(asked))
    if write:
        put(asked.benchmarks / PAGE, asked.name, block)
    if not as_json:
        print(block)
        return
    # The machine is told where the rows have measured it; that takes seconds.
    machine = asdict(asked.machine) if "machine" in vars(asked) else None
    about = {"script": asked.name, "command": asked.command, "threads": asked.threads}
    print(json.dumps({**about, "machine": machine, "rows": [row.as_json() for row in found]}))


def _footer(asked: Asked) -> str:
    commits = {name: commit_of(path) for name, path in asked.peers.items()}
    beside = "".join(f"; {name} at {commit}" for name, commit in commits.items() if commit)
    return (
        f"Median (range) of {asked.repeats} interleaved rounds unless a note says otherwise, "
        f"{datetime.now(UTC):%Y-%m-%d}, `{asked.command}`{beside}. {asked.machine.sentence()}"
    )
