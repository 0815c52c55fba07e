"""Sweeps as tables for people and as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.board import BoardRow
from harness.cli.output import emit, shown_path, table
from harness.evidence.record import METRICS
from harness.export import number
from harness.export.words import NOTHING
from harness.sweeps.folder import SweepFolder
from harness.sweeps.report import Results, earlier, estimate
from harness.sweeps.settle import Settled
from harness.sweeps.status import Seeing, Seen

if TYPE_CHECKING:
    from rich.table import Table

_COLUMNS = ("run", "seed", "state", "epoch", "left", "since", "where", "what")


def print_plan(settled: Settled, name: str, out: Path, as_json: bool) -> None:
    """What a sweep would do, what is done, what is in the way, and what it will cost."""
    cost = estimate(settled.missing, earlier(out))
    if as_json:
        emit(
            {
                "sweep": name,
                "runs": [
                    {**run.model_dump(mode="json"), "done": run.id in settled.done}
                    for run in settled.runs.values()
                ],
                "problems": [
                    {"run": p.run, "runs": p.runs, **p.error.as_dict()} for p in settled.problems
                ],
                "estimate": cost._asdict(),
            }
        )
        return
    rows = [
        [run.id, str(run.seed), "done" if run.id in settled.done else "to do", run.label]
        for run in settled.runs.values()
    ]
    table(["run", "seed", "state", "what"], rows, title=f"sweep {name}")
    print(f"{len(settled.runs)} runs: {len(settled.done)} done, {len(settled.missing)} to do")
    if cost.known:
        print(
            f"training of {cost.known} of them took {_hours(cost.seconds)} in all where the same "
            "method ran on the same data before"
        )
    if cost.unknown:
        print(f"of {cost.unknown} nothing is known: the method did not run on that data here")
    if settled.problems:
        print(f"\nin the way ({sum(p.runs for p in settled.problems)} runs), nothing is started:")
    for problem in settled.problems:
        more = f" and {problem.runs - 1} more" if problem.runs > 1 else ""
        print(f"- {problem.run}{more}: {problem.error}")


def print_status(folder: SweepFolder, seeing: Seeing, only_open: bool) -> None:
    """Every run, or those that are not done, and how many are in each state."""
    shown = [s for s in seeing.runs if not (only_open and s.state == "done")]
    if shown:
        table(_COLUMNS, [_cells(seen) for seen in shown], title=f"sweep {folder.name}")
    for seen in shown:
        if seen.state == "failed":
            print(f"{seen.run.id}: {seen.reason}")
            print(f"  log: {shown_path(folder.log(seen.run.id))}")
    print(_counts(seeing))


def status_table(folder: SweepFolder, seeing: Seeing) -> Table:
    """What `--watch` draws again and again."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*_COLUMNS, box=SIMPLE, title=f"sweep {folder.name}", caption=_counts(seeing))
    for seen in seeing.runs:
        drawn.add_row(*(Text(cell) for cell in _cells(seen)))
    return drawn


def seen_json(folder: SweepFolder, seeing: Seeing) -> dict[str, Any]:
    """The contract of `harness sweep status --json`."""
    return {
        "states": seeing.counts(),
        "alive": seeing.alive,
        "slurm": seeing.slurm,
        "runs": [
            {
                **{k: v for k, v in seen._asdict().items() if k != "run"},
                "run": seen.run.id,
                "label": seen.run.label,
                "seed": seen.run.seed,
                "folder": str(folder.out / seen.run.folder),
                "log": str(folder.log(seen.run.id)),
            }
            for seen in seeing.runs
        ],
    }


def print_results(found: Results) -> None:
    """The finished runs, seeds together, with places among the rows of this sweep."""
    for one in found.tables:
        columns = ["what", "seeds", *METRICS, "place"]
        rows = [
            [
                found.labels[row.run_ids[0]],
                str(len(row.seeds)),
                *(_mean(row, metric) for metric in METRICS),
                _place(row),
            ]
            for row in one.rows
        ]
        table(columns, rows, title=one.title)
        chance = ", ".join(f"{m} {number(one.chance.get(m))}" for m in METRICS)
        print(f"{one.valid_queries} of {one.queries} queries are valid. Chance: {chance}.")
    if found.tables:
        print("± is the deviation over seeds; rows that share places differ by no more than noise.")


def results_json(found: Results) -> list[dict[str, Any]]:
    """The tables as JSON."""
    return [
        {
            "title": one.title,
            "chance": one.chance,
            "rows": [
                {
                    "what": found.labels[row.run_ids[0]],
                    "runs": list(row.run_ids),
                    "seeds": list(row.seeds),
                    "mean": row.metrics,
                    "sd": row.spread,
                    "place": row.rank and list(row.rank),
                }
                for row in one.rows
            ],
        }
        for one in found.tables
    ]


def _cells(seen: Seen) -> list[str]:
    return [
        seen.run.id,
        str(seen.run.seed),
        seen.state,
        f"{seen.epoch}/{seen.epochs}" if seen.epochs else "",
        "" if seen.left is None else _hours(seen.left),
        _ago(seen.since),
        " ".join(filter(None, [seen.node, seen.job])),
        seen.run.label + (f" ({seen.reason})" if seen.reason and seen.state != "failed" else ""),
    ]


def _counts(seeing: Seeing) -> str:
    found = ", ".join(f"{count} {word}" for word, count in seeing.counts().items() if count)
    return found + ("" if seeing.slurm else "; SLURM does not answer, or is not here")


def _hours(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d}"


def _ago(since: str) -> str:
    if not since:
        return ""
    began = datetime.fromisoformat(since)
    return f"{_hours((datetime.now(UTC) - began).total_seconds())} ago"


def _mean(row: BoardRow, metric: str) -> str:
    spread = f" ± {number(row.spread[metric])}" if row.spread else ""
    return number(row.metrics[metric]) + spread


def _place(row: BoardRow) -> str:
    if row.rank is None:
        return NOTHING
    best, worst = row.rank
    return str(best) if best == worst else f"{best}-{worst}"
