"""`harness data check`, `harness data synthesize` and `harness lint`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from harness.base.errors import UnknownNameError
from harness.base.numbers import require_seed
from harness.base.progress import progress, say
from harness.cli.again import print_next
from harness.cli.check_text import print_report
from harness.cli.output import emit, quoted, shown_path
from harness.data.check import check
from harness.data.contents import known_contents, read_contents
from harness.data.duplicates import Contents
from harness.data.lint import Finding, lint
from harness.data.open import open_at, open_dataset
from harness.data.opened import OpenDataset
from harness.data.validation import held_out
from harness.data.variants import accept, accepted, is_variant
from harness.spec.dataset import Drawable
from harness.spec.plugins import load_plugins, load_target


def check_command(
    dataset: str,
    root: Path | None,
    accept_variant: bool,
    reread: bool,
    plugin: Sequence[Path] | None,
    as_json: bool,
) -> None:
    """Print expected and found; exit code 2 when anything is wrong. A variant is not wrong."""
    known = load_plugins(plugin or [])
    data = open_at(dataset, root, known) if root else open_dataset(dataset, known)
    report = check(data, reread)
    if accept_variant and report["ok"] and is_variant(data):
        say(f"accepted: {accept(data)}")
        report["accepted"] = accepted(data)
    if as_json:
        emit(report)
    else:
        print_report(report)
        _print_next(report, data, accept_variant)
    if not report["ok"]:
        raise typer.Exit(2)


def lint_command(
    dataset: str,
    protocol: str | None,
    content: bool,
    plugin: Sequence[Path] | None,
    as_json: bool,
) -> None:
    """Print the findings; exit code 2 for errors and warnings, as linters do, 0 for notes."""
    known = load_plugins(plugin or [])
    data = open_dataset(dataset, known)
    bound = known.protocol(protocol or data.card.protocol).bind(data.card)
    data = held_out(data, bound.held_out)
    findings = lint(data, bound, _contents(data, content))
    stands = [f for f in findings if f.severity != "note"]
    if as_json:
        emit({"ok": not stands, "findings": [f._asdict() for f in findings]})
    else:
        _print_findings(findings, data, bound.name)
    if stands:
        raise typer.Exit(2)


def synthesize_command(
    like: str, out: Path, seed: int, scale: str, plugin: Sequence[Path] | None, as_json: bool
) -> None:
    """Draw a set like `like` into a new folder."""
    require_seed(seed)
    known = load_plugins(plugin or [])
    targets = {name: info.drawable for name, info in known.datasets.items() if info.drawable}
    if like not in targets:
        raise UnknownNameError("data set that can be drawn", like, targets)
    drawable: Drawable = load_target(targets[like], f"the data set {like}")
    with progress("drawing", drawable.count(scale), " samples") as advance:
        drawable.draw(out, seed, scale, advance)
    result = {"like": like, "out": str(out), "seed": seed, "scale": scale}
    if as_json:
        emit(result)
    else:
        what = "with the identities, cameras and counts" if scale == "full" else "in the layout"
        print(f"{out}: a drawn set {what} of {like}")
        place = quoted(shown_path(out))
        print_next(f"data check {place}", f"run --method ieee --dataset {place}")


def _print_next(report: dict[str, Any], data: OpenDataset, accept_variant: bool) -> None:
    if accept_variant and not report["ok"]:
        print("not accepted as a variant: it has problems")
    elif report["accepted"]:
        print("accepted as a variant: this list of files is meant as it is")
    elif accept_variant:
        print("not accepted as a variant: it is none of a published list")
    elif report["ok"] and is_variant(data):
        print("if it is meant so, say it once: --accept-variant keeps what differs")


def _contents(data: OpenDataset, read: bool) -> Contents | None:
    """What the files hold; read now, or else only if an earlier look remembers all of it."""
    scans = data.scans.values()
    files = {p for scan in scans for s in scan.samples for p in s.paths.values()}
    if read:
        return read_contents(data.root, files)
    contents = known_contents(data.root, files)
    if len(contents) == len(files):
        return contents
    say("pictures are not compared by content: some were never read; --content reads them")
    return None


def _print_findings(findings: list[Finding], data: OpenDataset, protocol: str) -> None:
    for finding in findings:
        print(f"{finding.severity}: {finding.rule}: {finding.seen}")
        print(f"  expected: {finding.expected}\n  do this:  {finding.do}")
    if not findings:
        print(f"{data.label} under {protocol}: nothing found")
