"""`harness bench`."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from harness.base.progress import say
from harness.bench.peers import given_peers, known_peers
from harness.bench.scripts import Script, chosen_of, find_benchmarks, run, scripts_of
from harness.bench.table import Row, cells, notes_of
from harness.cli.output import emit, table


def bench_command(
    names: Sequence[str], peers: Sequence[str], repeats: int | None, write: bool, as_json: bool
) -> None:
    """Run the scripts one after the other and show their rows."""
    benchmarks = find_benchmarks()
    chosen = chosen_of(names, scripts_of(benchmarks))
    given = given_peers(peers, known_peers(benchmarks))
    found = {}
    for script in chosen:
        words = [f"--peer={n}={path}" for n, path in given.items() if n in script.peers]
        words += [] if repeats is None else [f"--repeats={repeats}"]
        words += ["--write"] if write else []
        say(f"bench {script.name}: {_beside(script, given)}")
        started = time.monotonic()
        found[script.name] = run(script, benchmarks, words)
        say(f"bench {script.name}: done in {time.monotonic() - started:.0f} s")
        if not as_json:
            _show(script.name, [Row.from_json(row) for row in found[script.name]])
    if as_json:
        emit({"benchmarks": found})
    elif write:
        say(f"written: {benchmarks / 'README.md'}")


def list_command(as_json: bool) -> None:
    """Name the scripts and the peers."""
    benchmarks = find_benchmarks()
    scripts = scripts_of(benchmarks)
    peers = known_peers(benchmarks)
    if as_json:
        emit(
            {
                "benchmarks": [script._asdict() for script in scripts.values()],
                "peers": [{"name": name, **one._asdict()} for name, one in peers.items()],
            }
        )
        return
    rows = [[one.name, one.about, " ".join(one.peers)] for one in scripts.values()]
    table(["benchmark", "what", "peers"], rows)
    table(["peer", "repository"], [[name, one.repository] for name, one in peers.items()])


def _beside(script: Script, given: Collection[str]) -> str:
    used = [name for name in script.peers if name in given]
    return f"beside {', '.join(used)}" if used else "ours alone"


def _show(name: str, rows: list[Row]) -> None:
    columns, *lines = cells(rows)
    table(columns, lines, name)
    for number, note in enumerate(notes_of(rows), 1):
        say(f"  ({number}) {note}")
