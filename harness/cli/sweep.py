"""`harness sweep start | status | cancel | logs`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from harness.base.errors import PlanError, UnknownNameError
from harness.base.numbers import parse_seeds
from harness.base.progress import say
from harness.cli.options import asked_store
from harness.cli.output import emit, quoted, table
from harness.cli.sweep_text import (
    print_plan,
    print_results,
    print_status,
    results_json,
    seen_json,
    status_table,
)
from harness.cli.sweep_words import Words
from harness.cli.table import table_of
from harness.runs.plan import DEFAULT_OUT
from harness.spec.plugins import Plugins, load_plugins
from harness.spec.recipe import read_toml
from harness.sweeps.folder import Kept, SweepFolder, names
from harness.sweeps.plan import read_sweep
from harness.sweeps.report import results
from harness.sweeps.settle import Settled, Where, settle, settle_table
from harness.sweeps.start import Asked, start
from harness.sweeps.status import Seeing, look
from harness.sweeps.stop import stop

_WATCH = 2.0


def start_command(
    name: str,
    words: Words,
    *,
    dry_run: bool,
    datasets: Sequence[str],
    track: str | None,
    seeds: str | None,
    changes: Sequence[str],
    out: Path,
    plugin: Sequence[Path],
    as_json: bool,
) -> None:
    """Settle every run, say what is in the way of any, and start what is missing."""
    asked, plugins = words.asked(), load_plugins(plugin)
    where = Where(out, words.device, tuple(plugin), asked.processes)
    if _is_sweep(name):
        for option, given in (("--dataset", datasets), ("--track", track)):
            if given:
                raise PlanError(
                    seen=f"{option} beside a plan of a sweep",
                    expected="data sets and recipes in the plan, where every run says its own",
                    do=f"write them into {name}",
                )
        plan = read_sweep(Path(name))
        wanted = plan.wanted(None if seeds is None else parse_seeds(seeds))
        wanted = [one._replace(changes=(*one.changes, *changes)) for one in wanted]
        settled, title, strict = settle(wanted, plugins, where), plan.name, True
    else:
        found = table_of(
            *(name, datasets, track, seeds, changes, out, words.device, plugin, plugins),
            asked.processes,
        )
        settled, title, strict = settle_table(found, where), found.name, False
    if dry_run or (strict and settled.problems):
        print_plan(settled, title, out, as_json)
        if settled.problems:
            sys.exit(2)
        return
    for problem in settled.problems:
        say(f"left out: {problem.run}: {problem.error.seen}")
    carry_out(settled, title, asked, out, plugins, as_json)


def carry_out(
    settled: Settled, title: str, asked: Asked, out: Path, plugins: Plugins, as_json: bool
) -> None:
    """Start what is missing, and when all has ended show what came out; exit code 2 on failures."""
    folder = SweepFolder(out, title)
    say(f"{len(settled.runs)} runs, {len(settled.done)} of them done before")
    seeing = start(settled, folder, asked)
    found = results(out, [s.run for s in seeing.runs if s.state == "done"], plugins)
    if as_json:
        emit(
            {"sweep": title, **seen_json(folder, seeing), "tables": results_json(found)},
        )
    else:
        print_results(found)
        print_status(folder, seeing, only_open=True)
        print("next:")
        print(f"  harness sweep status {title}{_out_words(out)}")
        print(f"  harness leaderboard{_out_words(out)}    filter by the sweep {title}")
    if seeing.counts()["failed"]:
        sys.exit(2)


def status_command(name: str | None, out: Path, watch: bool, as_json: bool) -> None:
    """Print how far a sweep is, once or until nothing goes on any more."""
    folder, kept = _named(name, out)
    seeing = look(folder, kept.runs)
    if as_json:
        emit({"sweep": folder.name, "on": kept.on, **seen_json(folder, seeing)})
        return
    if watch:
        seeing = _watch(folder, kept, seeing)
    else:
        print_status(folder, seeing, only_open=False)


def cancel_command(name: str | None, out: Path, as_json: bool) -> None:
    """Stop everything of a sweep, and say what could not be reached from here."""
    folder, kept = _named(name, out)
    stopped = stop(folder, kept.runs)
    if as_json:
        emit({"sweep": folder.name, **stopped._asdict()})
        return
    print(f"{folder.name}: cancelled; no further run of it is started")
    print(f"{len(stopped.jobs)} jobs and {len(stopped.processes)} processes were told to stop")
    if stopped.elsewhere:
        table(["run", "where it goes on"], [list(pair) for pair in stopped.elsewhere])
        print("on each of them: harness sweep cancel", folder.name)


def logs_command(run: str, name: str | None, out: Path) -> None:
    """Print a run's log."""
    folder, kept = _named(name, out)
    found = [r for r in kept.runs if r.id.startswith(run)]
    if len(found) != 1:
        raise UnknownNameError(f"run of {folder.name}", run, [r.id for r in found or kept.runs])
    log = folder.log(found[0].id)
    if not log.is_file():
        say(f"{found[0].id} was not started yet")
        return
    typer.echo(log.read_text(encoding="utf-8", errors="replace"), nl=False)


def _watch(folder: SweepFolder, kept: Kept, seeing: Seeing) -> Seeing:
    from rich.live import Live

    with Live(status_table(folder, seeing), refresh_per_second=4) as live:
        while seeing.alive:
            time.sleep(_WATCH)
            seeing = look(folder, kept.runs)
            live.update(status_table(folder, seeing))
    return seeing


def _out_words(out: Path) -> str:
    words = "" if out == DEFAULT_OUT else f" --out {quoted(str(out))}"
    store = asked_store()
    return words + (f" --store {quoted(store)}" if store else "")


def _is_sweep(name: str) -> bool:
    """Whether a file is a plan of a sweep: one of a table has rows."""
    if not name.endswith(".toml"):
        return False
    try:
        found: dict[str, Any] = read_toml(Path(name))
    except (OSError, ValueError):
        # Reading it as a sweep's says what is wrong with it.
        return True
    return not ({"rows", "columns"} & set(found))


def _named(name: str | None, out: Path) -> tuple[SweepFolder, Kept]:
    """A sweep by its name or its plan's file; without either, the one started last."""
    if name is None:
        there = names(out)
        if not there:
            raise PlanError(
                seen=f"there is no sweep in {out}",
                expected="one that was started: its folder is OUT/sweeps/NAME",
                do="harness sweep PLAN.toml; or name the right folder with --out",
            )
        name = there[0]
    elif name.endswith(".toml"):
        name = read_sweep(Path(name)).name if _is_sweep(name) else Path(name).stem
    folder = SweepFolder(out, name)
    return folder, folder.read()
