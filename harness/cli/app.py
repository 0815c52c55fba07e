"""The command line: every group of commands, added to one; the work is imported when one runs."""

from __future__ import annotations

from harness.cli import (
    app_bench,
    app_board,
    app_claims,
    app_data,
    app_run,
    app_store,
    app_sweep,
    app_tables,
    app_trust,
)
from harness.cli.options import commands

app = commands(
    name="harness",
    help="Train, score and rank multi-modal (RGB, NI, TI) re-identification methods.",
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    epilog="--debug with any command shows the traceback of an error.",
)
# Without a name, the commands of a group stand beside each other.
for beside in (app_run, app_bench, app_board, app_tables, app_trust):
    app.add_typer(beside.app)
app.add_typer(app_data.data, name="data")
app.add_typer(app_board.board, name="leaderboard")
app.add_typer(app_claims.claims, name="claims")
app.add_typer(app_store.store, name="store")
app.add_typer(app_sweep.sweep, name="sweep")
