"""What a page is about, as the address and its controls say: a table, a metric, a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from harness.base.errors import HarnessError
from harness.board import BoardTable
from leaderboard_app.shared.address import asked, choice, require_known, segments
from leaderboard_app.shared.data import all_runs, run_choices, snapshot
from leaderboard_app.shared.links import DATASET, PROTOCOL, RUN
from leaderboard_app.shared.names import dataset_words, protocol_words
from leaderboard_app.shared.states import show_nothing
from leaderboard_app.shared.text import metric_name

HASHES, METRIC = "hashes", "metric"

_METRICS = ("mAP", "R1")
_BOX = 220


def chosen_table(**box: Any) -> BoardTable | None:
    """The controls for data set, protocol and hashes, and the table they leave.

    `box` is for Streamlit. None when there is nothing to choose; the page says so.

    Raises:
        HarnessError: The store cannot be read.
    """
    tables = snapshot().tables
    if not tables:
        show_nothing("No runs and no published numbers", "run", "--method", "ieee")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom", width="content"):
        dataset = choice(
            "Data set",
            _datasets(tables),
            DATASET,
            _default(tables).dataset,
            words=dataset_words,
            what="data set",
            resets=(PROTOCOL, HASHES),
            width=_BOX,
            **box,
        )
        here = [t for t in tables if t.dataset == dataset]
        protocols = list(dict.fromkeys(t.protocol for t in _fullest(here)))
        protocol = choice(
            "Protocol",
            protocols,
            PROTOCOL,
            words=protocol_words,
            what="protocol on this data set",
            resets=(HASHES,),
            width=_BOX,
            **box,
        )
        names = {_hashes_of(t): t for t in _fullest([t for t in here if t.protocol == protocol])}
        if len(names) > 1:
            words = "Data · protocol, by hash"
            about = "Numbers on other data, byte by byte, or under another protocol do not compare."
            what = "pair of hashes"
            shown = {"help": about, "width": _BOX, **box}
            return names[choice(words, list(names), HASHES, what=what, **shown)]
    wanted = asked(HASHES)
    if wanted is not None:
        require_known("pair of hashes", wanted, names)
    return next(iter(names.values()))


def chosen_metric() -> str:
    """One of the two that nearly every paper prints."""
    return segments("Metric", {name: metric_name(name) for name in _METRICS}, METRIC, _METRICS[0])


def runs_with_evidence() -> dict[str, str]:
    """Runs whose descriptors are here, by id with words; where there are none, the page says so.

    Raises:
        HarnessError: The store cannot be read.
    """
    choices = run_choices()
    if not choices:
        show_nothing("No run here has stored descriptors yet", "run", "--method", "ieee")
    return choices


def chosen_run(choices: Mapping[str, str], resets: Sequence[str] = ()) -> str:
    """The id of one run.

    Args:
        choices: By id, in words; at least one.
        resets: Parameters of the address that are about one run only.

    Raises:
        NotHereError: The address names a run that is not in the store, or has no descriptors here.
    """
    wanted = asked(RUN)
    if wanted is not None and wanted not in choices and wanted in all_runs():
        raise HarnessError(
            seen=f"the run {wanted} is in this store, and its descriptors are not on this machine",
            expected="features.npz and ranks.npz beside its record",
            do="open its own page for its numbers, or start the leaderboard where the run was made",
        )
    words = choices.__getitem__
    return choice("Run", list(choices), RUN, words=words, what="run", resets=resets)


def _hashes_of(table: BoardTable) -> str:
    """The first digits of a table's two hashes."""
    return f"{table.data_hash[:8]} · {table.protocol_hash[:8]}"


def _datasets(tables: tuple[BoardTable, ...]) -> list[str]:
    return list(dict.fromkeys(t.dataset for t in _fullest(list(tables))))


def _default(tables: tuple[BoardTable, ...]) -> BoardTable:
    """What a visitor sees first: the table of the newest run, else the one with most rows."""
    # What a run scored under further protocols has its time, and must not stand for it.
    with_runs = [
        (row.created, not row.scored, n) for n, table in enumerate(tables) for row in table.runs
    ]
    return tables[max(with_runs)[-1]] if with_runs else _fullest(list(tables))[0]


def _fullest(tables: list[BoardTable]) -> list[BoardTable]:
    """Those with most rows first; what was only scored under a protocol counts last."""

    def place(table: BoardTable) -> tuple[int, int, str]:
        own = sum(not row.scored for row in table.rows)
        return -own, -len(table.rows), table.title

    return sorted(tables, key=place)
