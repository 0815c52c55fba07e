"""`harness verify`: a run or an archive, check by check."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from harness.base.errors import RecordError, StoreError
from harness.base.progress import say
from harness.cli.output import emit, shown_path
from harness.evidence.trust import Trust
from harness.spec.plugins import load_plugins
from harness.verify import Check, Finder, checks_of, failures, read
from harness.verify.asked import asked_run, shown_run
from harness.verify.level import keep_level
from harness.verify.receive import admit, verify_bundle

MEANING = {
    Trust.CLAIMED: "a number in a paper",
    Trust.EVALUATED: "what a run's weights gave under a further protocol, beside its record",
    Trust.REPORTED: "a record that nothing else stands for",
    Trust.RESCORED: "the numbers follow from the stored descriptors; where those come from is not "
    "proved: harness reproduce trains again",
    Trust.RERUN: "trained again here, within tolerance",
}


def verify_command(
    what: str,
    dataset: str | None,
    add: bool,
    out: Path,
    plugin: Sequence[Path] | None,
    as_json: bool,
) -> None:
    """Print every check that fails or could not be made; exit code 2 when one fails."""
    finder = Finder(load_plugins(plugin or []), dataset)
    place = Path(what)
    if place.is_file() and place.name != "record.json":
        _archive(place, finder, add, out, as_json)
        return
    if add:
        raise RecordError(
            seen=f"--add with {what}, which is no archive",
            expected="a file made by harness submit",
            do="harness store import FOLDER adds records from a folder",
        )
    asked = asked_run(what, out)
    if asked.kept is None:
        say("this is no run of a store, so no level of trust is kept")
    found = read(asked.path)
    checks = list(checks_of(found, finder))
    level = None
    if asked.kept is not None:
        checks.append(asked.kept.check(found.record))
        try:
            level = keep_level(asked.kept.store, asked.kept.run_id, checks)
        except StoreError as error:
            # What was found is worth as much on a disk that is read-only.
            say(f"the level of trust is not kept: {error.seen}")
    about = {"run_id": found.record.run_id, "record": str(asked.path)}
    _report(checks, shown_run(found.record), level, about, as_json)


def _archive(path: Path, finder: Finder, add: bool, out: Path, as_json: bool) -> None:
    checks = list(verify_bundle(path, finder))
    about: dict[str, Any] = {"bundle": str(path)}
    if not add or failures(checks):
        _report(checks, shown_path(path), None, about, as_json)
        return
    kept = admit(path, out, finder)
    about |= {"run_id": kept.record.run_id, "record": str(kept.path), "added": kept.fresh}
    _report(kept.checks, shown_run(kept.record), kept.level, about, as_json)


def _report(
    checks: Sequence[Check],
    title: str,
    level: Trust | None,
    about: dict[str, Any],
    as_json: bool,
) -> None:
    wrong = failures(list(checks))
    if as_json:
        rows = [{**check._asdict(), "status": check.status} for check in checks]
        emit({**about, "ok": not wrong, "trust": level, "checks": rows})
    else:
        print(title)
        for check in checks:
            if check.status != "holds":
                print(f"  {check.status:<12} {check.name}: {check.problem or check.unchecked}")
        hold = sum(check.status == "holds" for check in checks)
        print(f"  {hold} of {len(checks)} checks hold")
        if level is None:
            print("trust: not kept")
        else:
            print(f"trust: {level}, {MEANING[level]}")
        if "record" in about and "added" in about:
            there = "" if about["added"] else ", which the store had already"
            print(f"record: {shown_path(Path(about['record']))}{there}")
    if wrong:
        raise typer.Exit(2)
