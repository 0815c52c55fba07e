"""`harness leaderboard`."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.base.errors import HarnessError, PluginError, UnknownNameError
from harness.base.files import STORE_VARIABLE, cache_folder, home_folder
from harness.cli.again import place_words, print_next
from harness.cli.output import emit, quoted, table
from harness.data.open import open_dataset
from harness.evidence.record import METRICS
from harness.runs.plan import DEFAULT_OUT
from harness.spec.plugins import load_plugins
from harness.store import open_store

if TYPE_CHECKING:
    from harness.board import BoardTable

_TOKEN = "HARNESS_SUBMIT_TOKEN"
_LOOKS = {
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    # A trace names files of this machine, and its links would send it elsewhere; the log has it.
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    # A string on a line of its own is no text for visitors.
    "runner.magicEnabled": "false",
    # A bundle of Market-1501's size with its weights.
    "server.maxUploadSize": "2048",
    "theme.headingFontSizes": '["1.9rem", "1.3rem", "1.1rem"]',
    # Streamlit leaves a hand's breadth empty above and below every page.
    "theme.paddingTop": "0.25rem",
    "theme.paddingBottom": "3rem",
    # Captions and pinned columns are this at 60 %: still 4.5 : 1 on white.
    "theme.light.textColor": "#16181d",
    "theme.light.primaryColor": "#2f78ad",
    # White on it in a chosen tag, and it on black in a chosen tab, are both above 4 : 1.
    "theme.dark.primaryColor": "#3b82b6",
}


def serve_command(out: Path, host: str, port: int, data: Sequence[str], allow_submit: bool) -> None:
    """Serve the page until it is stopped."""
    _require_page()
    if allow_submit and not os.environ.get(_TOKEN):
        raise HarnessError(
            seen=f"--allow-submit without {_TOKEN} in the environment",
            expected="a token that only those know who may add records",
            do=f"{_TOKEN}=... harness leaderboard --allow-submit",
        )
    _require_pictures(data)
    _require_port(host, port)
    # The published numbers are worth looking at before there is any run.
    if out != DEFAULT_OUT or out.exists():
        open_store(out)
    options = {"server.address": host, "server.port": port, **_LOOKS}
    words = [w for name, value in options.items() for w in (f"--{name}", str(value))]
    own = [str(out), *(w for one in data for w in ("--data", one))]
    own += ["--allow-submit"] if allow_submit else []
    command = [sys.executable, "-m", "leaderboard_app.serve", *words, "--", *own]
    # Streamlit ends where there is no home to look for its settings in.
    home = {} if home_folder() else {"HOME": str(cache_folder())}
    sys.exit(subprocess.call(command, env={**os.environ, **home}))


def _require_port(host: str, port: int) -> None:
    """Refuse a port that another program listens on, or an address that is not this machine's."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as one:
            # As the page will: one that was closed a moment ago is free.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(address)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "another program listens there" if taken else str(error)
        raise HarnessError(
            seen=f"the page cannot be served at {host}:{port}: {why}",
            expected="a free port from 1024 to 65535, on an address of this machine",
            do=f"harness leaderboard --port {_free_port()}"
            + ("" if taken else "; --host 127.0.0.1 is this machine, 0.0.0.0 all its addresses"),
        ) from error


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        found: int = one.getsockname()[1]
    return found


def static_command(
    out: Path, to: Path, store: str | None, data: Sequence[str], as_json: bool
) -> None:
    """Write the leaderboard as files."""
    _require_page()
    # Found by name, not imported: the core knows no page.
    site = import_module("leaderboard_app.site.build")
    count = site.build(out, to, store or os.environ.get(STORE_VARIABLE), data)
    if as_json:
        emit({"folder": str(to), "files": count})
    else:
        print(
            f"{count} files in {to}\nnext:\n  python3 -m http.server --directory {quoted(str(to))}"
        )


def _require_page() -> None:
    if find_spec("leaderboard_app") is None:
        raise PluginError(
            seen="the package leaderboard_app is not installed",
            expected="the page that comes with the harness",
            do="install mmreid-harness again, or use harness leaderboard --text",
        )


def print_command(out: Path, dataset: str | None, protocol: str | None, as_json: bool) -> None:
    """Print the tables, ranked."""
    from harness.board import rank_table
    from harness.cli.tables_here import chosen, in_order, tables_here

    here = tables_here(out)
    found = in_order(chosen(here.tables, dataset, protocol))
    if protocol is None and not as_json:
        # Of published numbers alone, the table that most papers fill; the others are named.
        found = [one for one in found if one.runs] or found[:1]
    shown = [rank_table(one, here.per_query) for one in found]
    hidden = _runs(here.tables) - _runs(shown)
    if as_json:
        emit({"tables": [_as_json(one) for one in shown], "hidden_runs": hidden})
        return
    if not _runs(here.tables):
        print(f"no runs in {out} yet")
        print_next(f"run --method ieee{place_words(out)}")
    for one in shown:
        _print_table(one)
    _print_rest(here.tables, shown, hidden, dataset, protocol)


def overview_command(out: Path, dataset: str | None, metric: str, as_json: bool) -> None:
    """Print methods by protocols of one data set."""
    from harness.board.overview import datasets_of, overview, overview_text
    from harness.cli.tables_here import in_order, tables_here

    here = tables_here(out)
    known = datasets_of(here.tables)
    # Data that were run here go first, as on the printed board.
    names = [n for n in dict.fromkeys(t.dataset for t in in_order(here.tables)) if n in known]
    if dataset is not None and dataset not in names:
        raise UnknownNameError("data set in the store", dataset, names)
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    found = overview(here.tables, dataset or names[0], metric)
    columns, rows = overview_text(found)
    if as_json:
        emit({"dataset": found.dataset, "metric": metric, "columns": columns, "rows": rows})
        return
    table(columns, rows, title=f"{found.dataset}: {metric} in percent")
    print(
        "A mean is taken over complete rows only. A row of runs is on the same data, byte by byte."
    )


def explain_command(
    word: str, out: Path, dataset: str | None, protocol: str | None, as_json: bool
) -> None:
    """Print why a run is where it is, or why it is not shown."""
    from harness.board.explain import explain
    from harness.cli.named_runs import named_runs
    from harness.cli.tables_here import tables_here

    here = tables_here(out)
    run = named_runs(word, here.store)[0]
    run_id, record = run.record.run_id, run.record
    rows = (row for one in here.tables for row in one.rows if not row.scored)
    if not any(run_id in row.run_ids for row in rows):
        why = (
            f"It is not in the store {here.store.database}; its record is {run.path}. Add it: "
            f"harness store import {run.path.parent}"
        )
        _tell(run_id, shown=False, sentences=[why], about={}, as_json=as_json)
        return
    found = explain(run_id, here.tables, here.per_query, lambda one: here.store.get(one).record)
    names = (
        ("dataset", dataset, record.dataset_label),
        ("protocol", protocol, record.protocol_name),
    )
    hiding = [
        f"It is hidden by --{option} {wanted}: its {option} is {own}."
        for option, wanted, own in names
        if wanted not in (None, own)
    ]
    about = {
        "table": found.table.title,
        "row": found.row.key,
        "place": found.place,
        "rank": found.row.rank,
        "tie_group": found.row.tie_group,
        "tied": [
            {"runs": one.row.run_ids, "title": one.row.title, **one.paired._asdict()}
            for one in found.tied
        ],
    }
    _tell(run_id, not hiding, [*hiding, *found.sentences()], about, as_json)


def _require_pictures(data: Sequence[str]) -> None:
    """Refuse a set that is not there now, rather than show placeholders later."""
    if data:
        plugins = load_plugins()
        for one in data:
            open_dataset(one, plugins)


def _tell(
    run_id: str, shown: bool, sentences: Sequence[str], about: dict[str, Any], as_json: bool
) -> None:
    if as_json:
        emit({"run_id": run_id, "shown": shown, **about, "sentences": list(sentences)})
        return
    print(f"run {run_id}: {'on the board' if shown else 'not shown'}")
    for sentence in sentences:
        print(f"  {sentence}")


def _runs(tables: Sequence[BoardTable]) -> int:
    return sum(len(row.run_ids) for one in tables for row in one.rows if not row.scored)


def _print_table(one: BoardTable) -> None:
    from harness.board.view import view_of
    from harness.cli.tables_here import plain

    view = view_of(one)
    columns, rows = plain(view)
    table(columns, rows, title=view.title)
    for note in view.notes:
        print(f"  {note}")
    print()


def _print_rest(
    tables: Sequence[BoardTable],
    shown: Sequence[BoardTable],
    hidden: int,
    dataset: str | None,
    protocol: str | None,
) -> None:
    from harness.cli.tables_here import in_order

    filters = [f"--{n} {v}" for n, v in (("dataset", dataset), ("protocol", protocol)) if v]
    if filters and hidden:
        print(f"{hidden} run(s) hidden by {' '.join(filters)}")
    keys = {(one.dataset, one.protocol) for one in shown}
    only = [o for o in tables if not o.runs and (o.dataset, o.protocol) not in keys]
    if only and dataset is None:
        names = ", ".join(sorted({one.dataset for one in only}))
        print(f"published numbers nobody has run here: --dataset with one of {names}")
    here = [one for one in in_order(only) if one.dataset == dataset]
    if here and protocol is None:
        names = ", ".join(f"{one.protocol} ({len(one.rows)})" for one in here)
        print(
            f"published numbers of {dataset} under other protocols: --protocol with one of {names}"
        )


def _as_json(one: BoardTable) -> dict[str, object]:
    from harness.board.view import inputs_hash, notes

    return {
        **one._asdict(),
        "rows": [row._asdict() for row in one.rows],
        "notes": notes(one),
        "inputs_hash": inputs_hash(one),
    }
