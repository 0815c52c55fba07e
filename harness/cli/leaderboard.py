"""`harness leaderboard`."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from harness.board import BoardTable, board
from harness.cli.output import emit, interval, number, table
from harness.errors import PluginError
from harness.record import METRICS
from harness.store import open_store

_LOOKS = {
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "theme.light.primaryColor": "#2f6690",
    "theme.dark.primaryColor": "#6ea8d8",
}


def leaderboard_command(text: bool, out: Path, host: str, port: int, as_json: bool) -> None:
    """Print the tables, or serve the page until it is stopped."""
    if not (text or as_json):
        _serve(out, host, port)
        return
    tables = board(stored.record for stored in open_store(out).all())
    if as_json:
        emit({"tables": [_as_json(t) for t in tables]})
        return
    if not tables:
        print(f"no runs in {out} yet\nnext:\n  harness run --method ieee")
    for one in tables:
        _print_table(one)


def _serve(out: Path, host: str, port: int) -> None:
    # Found by name, not imported: the core knows no page.
    page = find_spec("leaderboard_app")
    if page is None or page.origin is None:
        raise PluginError(
            seen="the package leaderboard_app is not installed",
            expected="the page that comes with the harness",
            do="install mmreid-harness again, or use harness leaderboard --text",
        )
    open_store(out)
    script = Path(page.origin).parent / "app.py"
    options = {"server.address": host, "server.port": port, **_LOOKS}
    words = [w for name, value in options.items() for w in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *words, "--", str(out)]
    sys.exit(subprocess.call(command))


def _print_table(one: BoardTable) -> None:
    rows = [
        [
            row.method,
            row.recipe,
            str(row.seed),
            number(row.metrics["mAP"]),
            interval(row.intervals["mAP"]),
            *(number(row.metrics[m]) for m in METRICS[1:]),
            row.selection,
            row.run_id,
        ]
        for row in one.rows
    ]
    columns = ["method", "recipe", "seed", "mAP", "95 % interval", "R1", "R5", "R10", "mINP"]
    table([*columns, "selection", "run"], rows, title=one.title)
    print(
        f"  chance: mAP {number(one.chance['mAP'])}, R1 {number(one.chance['R1'])}; "
        f"{one.valid_queries} valid of {one.queries} queries\n"
    )


def _as_json(one: BoardTable) -> dict[str, object]:
    return {**one._asdict(), "rows": [row._asdict() for row in one.rows]}
