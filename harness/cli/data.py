"""`harness data check`, `harness data synthesize` and `harness lint`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from harness.cli.output import emit
from harness.data.check import check
from harness.data.lint import Finding, lint
from harness.data.open import OpenDataset, open_at, open_dataset
from harness.errors import UnknownNameError
from harness.plugins import load_plugins, load_target
from harness.progress import progress


def check_command(
    dataset: str, root: Path | None, plugin: Sequence[Path] | None, as_json: bool
) -> None:
    """Print expected and found; exit code 2 when anything is wrong."""
    known = load_plugins(plugin or [])
    data = open_at(dataset, root, known) if root else open_dataset(dataset, known)
    report = check(data)
    if as_json:
        emit(report)
    else:
        _print_report(report)
    if not report["ok"]:
        raise typer.Exit(2)


def lint_command(
    dataset: str, protocol: str | None, plugin: Sequence[Path] | None, as_json: bool
) -> None:
    """Print the findings; exit code 2 when there is any, as linters do."""
    known = load_plugins(plugin or [])
    data = open_dataset(dataset, known)
    bound = known.protocol(protocol or data.card.protocol).bind(data.card)
    findings = lint(data, bound)
    if as_json:
        emit({"ok": not findings, "findings": [f._asdict() for f in findings]})
    else:
        _print_findings(findings, data, bound.name)
    if findings:
        raise typer.Exit(2)


def synthesize_command(
    like: str, out: Path, seed: int, plugin: Sequence[Path] | None, as_json: bool
) -> None:
    """Draw a set like `like` into a new folder."""
    known = load_plugins(plugin or [])
    loaders = {n: load_target(i.target, f"the data set {n}") for n, i in known.datasets.items()}
    able = {n: loader for n, loader in loaders.items() if hasattr(loader, "synthesize")}
    if like not in able:
        raise UnknownNameError("data set that can be drawn", like, able)
    with progress("drawing", able[like].synthetic_count(), " triplets") as advance:
        able[like].synthesize(out, seed, advance)
    result = {"like": like, "out": str(out), "seed": seed}
    if as_json:
        emit(result)
    else:
        print(f"{out}: a drawn set with the identities, cameras and counts of {like}")
        print(f"next:\n  harness data check {out}\n  harness run --method ieee --dataset {out}")


def _print_report(report: dict[str, Any]) -> None:
    print(f"{report['dataset']} in {report['root']}")
    for split, row in report["splits"].items():
        expected = row["expected"]
        print(f"  {split} ({row['folder']}/)")
        for what, found in row["found"].items():
            said = f" of {expected[what]}" if expected else ""
            print(f"    {what:<11} {found}{said}")
        print("    images      " + ", ".join(f"{m} {n}" for m, n in row["images"].items()))
    print("  " + _list_line(report))
    for problem in report["problems"]:
        print(f"- {problem['seen']}")
        print(f"    expected: {problem['expected']}\n    do this:  {problem['do']}")
    count = len(report["problems"])
    print("nothing is wrong with the files" if report["ok"] else f"{count} problems")


def _list_line(report: dict[str, Any]) -> str:
    if report["made_like"]:
        return f"drawn by the harness like {report['made_like']}: not the real set"
    if report["published_list"]:
        return "the file list is the published one"
    if report["expected_file_list_hash"] is None:
        return "there is no published list to hold it against"
    return (
        f"the file list ({report['file_list_hash'][:12]}) is not the published one "
        f"({report['expected_file_list_hash'][:12]}): runs are recorded as a variant"
    )


def _print_findings(findings: list[Finding], data: OpenDataset, protocol: str) -> None:
    for finding in findings:
        print(f"{finding.severity}: {finding.rule}: {finding.seen}")
        print(f"  expected: {finding.expected}\n  do this:  {finding.do}")
    if not findings:
        print(f"{data.label} under {protocol}: nothing found")
