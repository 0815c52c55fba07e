"""`harness submit`: one archive of a run, once everything in it holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.base.errors import BundleError
from harness.base.hashing import file_digest
from harness.base.progress import say
from harness.cli.again import print_next
from harness.cli.output import emit, quoted, shown_path
from harness.evidence.fields import field_problem
from harness.spec.plugins import load_plugins
from harness.verify import Check, Finder, checks_of, failures, read
from harness.verify.asked import asked_run, shown_run
from harness.verify.write import write_bundle


def submit_command(
    run: str,
    weights: bool,
    to: Path | None,
    out: Path,
    plugin: Sequence[Path] | None,
    as_json: bool,
) -> None:
    """Verify, write, and say what is in it and what to do with it."""
    path = asked_run(run, out).path
    found = read(path)
    checks = list(checks_of(found, Finder(load_plugins(plugin or []))))
    wrong = failures([*checks, Check("fields", field_problem(found.record))])
    if wrong:
        raise BundleError(
            seen=f"run {found.record.run_id} does not hold: {wrong[0].name}: {wrong[0].problem}",
            expected="a run that others can verify",
            do=f"harness verify {path.parent} shows every check",
        )
    target = to or Path(f"{found.record.run_id}.zip")
    files = write_bundle(found.record, path.parent, target, weights)
    command = found.record.environment.get("command")
    if isinstance(command, list):
        words = " ".join(map(str, command))
        say(f"the record in it names this kind of machine and the command: {words}")
    size = target.stat().st_size
    if as_json:
        about = {"run_id": found.record.run_id, "bundle": str(target), "bytes": size}
        emit({**about, "sha256": file_digest(target), "files": files})
        return
    print(shown_run(found.record))
    print(f"archive: {shown_path(target)} ({size:,} bytes): {', '.join(files)}")
    print_next(f"verify {quoted(shown_path(target))}")
