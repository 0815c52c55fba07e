"""What a page is about, as the address and its controls say: a table, a metric, a run."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from harness.board import BoardTable
from leaderboard_app.shared.address import choice, segments
from leaderboard_app.shared.data import run_choices, snapshot
from leaderboard_app.shared.links import DATASET, PROTOCOL, RUN
from leaderboard_app.shared.states import show_nothing
from leaderboard_app.shared.text import metric_name

HASHES, METRIC = "hashes", "metric"

_METRICS = ("mAP", "R1")


def chosen_table() -> BoardTable | None:
    """The controls for data set, protocol and hashes, and the table they leave.

    None when there is nothing to choose; the page says so.

    Raises:
        HarnessError: The store cannot be read.
    """
    tables = snapshot().tables
    if not tables:
        show_nothing("No runs and no published numbers", "run", "--method", "ieee")
        return None
    left, right, more = st.columns([1, 1, 2])
    with left:
        dataset = choice("Data set", _datasets(tables), DATASET, _default(tables).dataset)
    here = [t for t in tables if t.dataset == dataset]
    with right:
        protocols = list(dict.fromkeys(t.protocol for t in _fullest(here)))
        protocol = choice("Protocol", protocols, PROTOCOL)
    found = [t for t in here if t.protocol == protocol]
    if len(found) == 1:
        return found[0]
    with more:
        names = {_hashes_of(t): t for t in _fullest(found)}
        words = "Data and protocol, by hash: different ones do not compare"
        return names[choice(words, list(names), HASHES)]


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


def chosen_run(choices: Mapping[str, str]) -> str:
    """The id of one run.

    Args:
        choices: By id, in words; at least one.
    """
    return choice("Run", list(choices), RUN, words=choices.__getitem__)


def _hashes_of(table: BoardTable) -> str:
    """The first digits of a table's two hashes."""
    return f"{table.data_hash[:8]} · {table.protocol_hash[:8]}"


def _datasets(tables: tuple[BoardTable, ...]) -> list[str]:
    return list(dict.fromkeys(t.dataset for t in _fullest(list(tables))))


def _default(tables: tuple[BoardTable, ...]) -> BoardTable:
    """What a visitor sees first: the table with most rows."""
    return _fullest(list(tables))[0]


def _fullest(tables: list[BoardTable]) -> list[BoardTable]:
    return sorted(tables, key=lambda t: (-len(t.rows), t.title))
