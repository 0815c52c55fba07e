"""`harness table`: a paper's table, or one's own, claims beside what was run here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.base.errors import HarnessError, UnknownNameError
from harness.base.numbers import parse_seeds
from harness.base.progress import say
from harness.cli.output import emit, shown_path, table
from harness.cli.sweep_words import Words
from harness.spec.plugins import Plugins, load_plugins
from harness.sweeps.folder import SweepFolder
from harness.sweeps.settle import Where, settle_table
from harness.sweeps.start import start
from harness.tables.cells import Options
from harness.tables.fill import Failure, fill
from harness.tables.plan import TRACKS, TablePlan, plan_files, read_plan
from harness.tables.table import Opened, Table, build, open_all
from harness.tables.view import as_json, as_text, as_view, missing_commands

FORMATS = ("text", "markdown", "latex", "csv")


def table_command(
    *,
    name: str,
    datasets: Sequence[str],
    track: str | None,
    seeds: str | None,
    changes: Sequence[str],
    out: Path,
    run: bool,
    fmt: str,
    figure: Path | None,
    device: str,
    plugin: Sequence[Path],
    json: bool,
    words: Words | None = None,
) -> None:
    """Find what is there, run what is missing if asked to, and show all of it."""
    if fmt not in FORMATS:
        raise UnknownNameError("format", fmt, FORMATS)
    if figure is not None:
        from harness.tables.picture import require_drawable

        require_drawable(figure)
    plugins = load_plugins(plugin)

    processes = 1 if words is None else words.asked().processes

    def look() -> Table:
        return table_of(
            name, datasets, track, seeds, changes, out, device, plugin, plugins, processes
        )

    found = look()
    failures: list[Failure] = []
    if run:
        failures = fill(found) if words is None else _swept(found, words, out, plugin)
        found = look()
    _show(found, failures, fmt, json)
    if figure is not None:
        from harness.tables.picture import draw

        draw(found, figure)
        say(f"figure: {shown_path(figure)}")
    if failures:
        sys.exit(max(failures, key=lambda f: f.exit_code == 1).exit_code)


def _swept(found: Table, words: Words, out: Path, plugin: Sequence[Path]) -> list[Failure]:
    """Make the missing runs as a sweep of the table's name."""
    asked = words.asked()
    where = Where(out, words.device, tuple(plugin), asked.processes)
    settled = settle_table(found, where)
    seeing = start(settled, SweepFolder(out, found.name), asked)
    failed = [seen for seen in seeing.runs if seen.state == "failed"]
    return [
        Failure(
            seen.run.label,
            seen.run.dataset,
            seen.run.seed,
            HarnessError(seen.reason, "a run that ends in a record", "harness sweep status"),
        )
        for seen in failed
    ]


def table_of(
    name: str,
    datasets: Sequence[str],
    track: str | None,
    seeds: str | None,
    changes: Sequence[str],
    out: Path,
    device: str,
    plugin: Sequence[Path],
    plugins: Plugins,
    processes: int = 1,
) -> Table:
    """A table as it is now, from the words of a command; of runs by so many processes.

    Raises:
        HarnessError: A word that means nothing, or what is in the way of every single cell.
    """
    if track is not None and track not in TRACKS:
        raise UnknownNameError("track", track, TRACKS)
    title, plan = find_plan(name, plugins)
    if not datasets:
        say("no --dataset: using the embedded synthetic set; its numbers say nothing about people")
    opened = open_all(datasets, plugins)
    options = Options(
        track=track or _default_track(opened),
        seeds=None if seeds is None else parse_seeds(seeds),
        changes=tuple(changes),
        out=out,
        device=device,
        plugin=tuple(plugin),
        processes=processes,
    )
    return build(title, plan, opened, plugins, options)


def plans_of(plugins: Plugins) -> dict[str, Path]:
    """The plans of every installed method, by name."""
    folders = [info.tables for info in plugins.methods.values() if info.tables is not None]
    return plan_files(folders)


def table_rows(plugins: Plugins) -> list[dict[str, Any]]:
    """The plans as `harness list tables` shows them."""
    rows = []
    for name, path in plans_of(plugins).items():
        plan = read_plan(path)
        size = f"{len(plan.rows)} x {len(plan.columns)}"
        rows.append({"table": name, "title": plan.title, "rows x columns": size})
    return rows


def find_plan(name: str, plugins: Plugins) -> tuple[str, TablePlan]:
    """The plan of a name, or in a file.

    Raises:
        UnknownNameError: No installed method has a plan of that name.
        PlanError: A file that is no plan.
    """
    if name.endswith(".toml"):
        return Path(name).stem, read_plan(Path(name))
    known = plans_of(plugins)
    if name not in known:
        raise UnknownNameError("table", name, known)
    return name, read_plan(known[name])


def _default_track(opened: Sequence[Opened]) -> str:
    return "smoke" if all(o.data.card.embedded for o in opened) else "official"


def _show(found: Table, failures: Sequence[Failure], fmt: str, json: bool) -> None:
    if json:
        emit(as_json(found, failures))
    elif fmt == "text":
        _print_text(found)
    else:
        from harness.export import render

        print("\n".join(render(as_view(found, panel), fmt) for panel in found.panels), end="")
    if json:
        return
    # A table on its way into a paper holds no commands; a person still sees them.
    to = sys.stdout if fmt == "text" else sys.stderr
    commands = missing_commands(found)
    if commands:
        print("missing; to fill each, or all with --run:", file=to)
    for command in commands:
        print(f"  {command}", file=to)
    for failure in failures:
        say(f"failed: {failure.row}, {failure.column}, seed {failure.seed}: {failure.words}")


def _print_text(found: Table) -> None:
    print(found.plan.title)
    for panel in found.panels:
        text = as_text(found, panel)
        table(text.columns, text.rows, title=text.title)
        for note in text.notes:
            print(f"  {note}")
        print()
    for note in found.plan.notes:
        print(note)
