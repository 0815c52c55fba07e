"""The report of `harness data check`, drawn for people."""

from __future__ import annotations

from collections import Counter
from typing import Any

# Of one kind; a folder that was not unpacked would otherwise fill the screen.
_MOST = 10


def print_report(report: dict[str, Any]) -> None:
    """The tree of expected and found, then what is wrong, what is odd, and the verdict."""
    print(f"{report['dataset']} in {report['root']}: {report['files']} files")
    splits = list(report["splits"].items())
    for number, (split, row) in enumerate(splits):
        last = number == len(splits) - 1
        print(f"{'└─' if last else '├─'} {split}  {row['folder']}/")
        lines = _split_lines(row)
        for place, line in enumerate(lines):
            branch = "└─" if place == len(lines) - 1 else "├─"
            print(f"{' ' if last else '│'}  {branch} {line}")
    print(_list_line(report))
    for line in report["differs"]:
        print(f"  {line}")
    for note in report["notes"]:
        print(f"note: {note}")
    for line in (report["captions"] or {}).get("words", ()):
        print(f"captions: {line}")
    _print_problems("error", report["problems"])
    _print_problems("warning", report["warnings"])
    print(_verdict(report))


def _split_lines(row: dict[str, Any]) -> list[str]:
    expected = row["expected"]
    lines = []
    for what, found in row["found"].items():
        lines.append(f"{what:<10} {found}" + (f" of {expected[what]}" if expected else ""))
    for modality, found in row["images"].items():
        said = f" of {expected['samples']}" if expected else ""
        missing = row["missing"][modality]
        said += f", {missing} samples without" if missing else ""
        lines.append(f"{modality:<10} {found}{said}")
    if row["unpaired"]:
        lines.append(f"{'unpaired':<10} {row['unpaired']} samples have one modality only")
    return lines


def _list_line(report: dict[str, Any]) -> str:
    if report["made_like"]:
        return f"drawn by the harness like {report['made_like']}: not the real set"
    if report["published_list"]:
        return "the file list is the published one"
    expected = report["expected_file_list_hash"]
    if expected is None and not report["differs"]:
        return "there is no published list to hold it against"
    hashes = report["file_list_hash"][:12]
    said = f"the file list ({hashes}) is not the published one"
    if expected is None:
        return f"the counts are not the published ones (file list {hashes})"
    said += f" ({expected[:12]}): runs are recorded as a variant"
    return said + (", accepted" if report["accepted"] else "")


def _print_problems(severity: str, problems: list[dict[str, str]]) -> None:
    shown: Counter[str] = Counter()
    for problem in problems:
        kind = problem["kind"]
        shown[kind] += 1
        if shown[kind] <= _MOST:
            print(f"{severity}: {problem['seen']}")
            print(f"  expected: {problem['expected']}\n  do this:  {problem['do']}")
    for kind, count in shown.items():
        if count > _MOST:
            print(f"{severity}: {count - _MOST} more of {kind}; --json lists them all")


def _verdict(report: dict[str, Any]) -> str:
    odd = len(report["warnings"])
    if not report["ok"]:
        kinds = Counter(p["kind"] for p in report["problems"])
        told = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
        return f"{len(report['problems'])} problems: {told}" + (f"; {odd} warnings" if odd else "")
    return "nothing is wrong with the files" + (f"; {odd} warnings" if odd else "")
