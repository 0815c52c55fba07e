"""`harness reproduce`: train again from the record alone, and compare."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import typer

from harness.base.errors import RecordError
from harness.base.parallel import main_first, on_main
from harness.base.progress import say
from harness.cli.output import emit, shown_path, table
from harness.evidence.record import RunRecord
from harness.evidence.trust import Trust
from harness.export import interval, number
from harness.spec.plugins import load_plugins
from harness.verify import Finder, checks_of, failures, read
from harness.verify.asked import Asked, asked_row, shown_run
from harness.verify.level import keep_level, keep_rerun
from harness.verify.reproduce import Comparison, again, compare_again, fresh_folder, plan_again


def reproduce_command(
    what: str,
    dataset: str | None,
    into: Path | None,
    allow_other_code: bool,
    out: Path,
    device: str,
    plugin: Sequence[Path] | None,
    as_json: bool,
) -> None:
    """Train every run that is meant; exit code 2 when one is out of tolerance."""
    finder = Finder(load_plugins(plugin or []), dataset)
    runs = main_first(partial(asked_row, what, out))
    if into is not None and (len(runs) > 1 or any(into.glob("*/*/record.json"))):
        raise RecordError(
            seen=f"--into {into} for {len(runs)} runs, or with a finished run in it",
            expected="a fresh folder for one run",
            do="leave --into out, or name a new folder",
        )
    results = []
    for asked in runs:
        record = on_main(partial(_verified, asked, finder))
        folder = into or on_main(partial(fresh_folder, out, record.run_id))
        plan = main_first(partial(plan_again, record, finder, folder, device, allow_other_code))
        finished = again(plan, record)
        found = compare_again(record, finished.record)
        level = on_main(partial(_keep, asked, found))
        results.append({"run_id": record.run_id, "trust": level, **_as_json(found)})
        results[-1]["record"] = str(finished.path)
        if not as_json:
            _print(record, found, finished.path, level)
    if as_json:
        emit(results[0] if len(results) == 1 else {"runs": results})
    if any(result["problems"] for result in results):
        raise typer.Exit(2)


def _verified(asked: Asked, finder: Finder) -> RunRecord:
    """The record, once all its checks hold: what is false already need not be trained again."""
    found = read(asked.path)
    checks = list(checks_of(found, finder))
    if asked.kept is not None:
        checks.append(asked.kept.check(found.record))
        keep_level(asked.kept.store, asked.kept.run_id, checks)
    wrong = failures(checks)
    if wrong:
        raise RecordError(
            seen=f"run {found.record.run_id} does not hold: {wrong[0].name}: {wrong[0].problem}",
            expected="a record in which everything that can be computed again holds",
            do=f"harness verify {asked.path.parent} shows every check",
        )
    say(f"{shown_run(found.record)}: {len(checks)} checks hold, training again")
    return found.record


def _keep(asked: Asked, found: Comparison) -> Trust | None:
    if asked.kept is None:
        return None
    return keep_rerun(asked.kept.store, asked.kept.run_id, _as_json(found))


def _as_json(found: Comparison) -> dict[str, Any]:
    return {
        "ok": not found.problems,
        "tolerance": found.tolerance,
        "identical": found.identical,
        "why": list(found.why),
        "differences": [d._asdict() for d in found.differences],
        "problems": list(found.problems),
    }


def _print(record: RunRecord, found: Comparison, path: Path, level: Trust | None) -> None:
    print(f"\n{shown_run(record)}, trained again")
    rows = [
        [
            d.metric,
            number(d.said),
            number(d.found),
            f"{d.found - d.said:+.2f}",
            interval(d.interval),
        ]
        for d in found.differences
    ]
    table(["", "record", "again", "difference", "95 % interval of it"], rows)
    if found.identical:
        print("identical: weights, descriptors and metrics, bit by bit")
    if found.tolerance == "close":
        print("asked for: close (mAP and Rank-1), not the same bits, because of")
        for reason in found.why:
            print(f"  {reason}")
    for problem in found.problems:
        print(f"  out of tolerance: {problem}")
    print(f"trust: {'not kept, this is no run of the store' if level is None else level}")
    print(f"record: {shown_path(path)}")
