"""What the pages show, read again only when the store has changed; sessions share one copy."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from typing import NamedTuple

import streamlit as st

from harness.board import BoardRow, BoardTable, board
from harness.board.evaluated import Evaluations
from harness.board.names import Names
from harness.claims import PublishedClaim, load_claims
from harness.spec.dataset import Card, load_card
from harness.spec.method import MethodInfo
from harness.spec.plugins import Plugins, load_plugins
from harness.store import STORE_NAME, PerQueryValues, Store, Stored, Summary, open_store
from leaderboard_app.shared.evidence import FEATURES, Evidence, read_evidence, size_of
from leaderboard_app.shared.present import looked_for
from leaderboard_app.shared.settings import Settings, read_settings
from leaderboard_app.shared.shelf import Shelf

EVIDENCE_BYTES = 400 * 2**20
"""Of all descriptors that are kept; those of the largest data set are half of it."""
LOOKING = 0.2
"""Seconds that a page waits until it is known which descriptors are on this machine."""
PATIENCE = 5.0
"""Seconds that a page waits for who holds the store before it says so."""


class Snapshot(NamedTuple):
    """Everything in the store at one moment, and the published numbers."""

    stamp: str
    summaries: Mapping[str, Summary]
    """By run id, oldest first."""
    claims: tuple[PublishedClaim, ...]
    tables: tuple[BoardTable, ...]
    evaluations: Evaluations
    """What runs scored under further protocols, which are rows of those tables."""


def snapshot() -> Snapshot:
    """The store as it is now.

    Raises:
        HarnessError: The folder or its store cannot be read.
    """
    settings = read_settings()
    store = _store(settings)
    return _snapshot(settings, "" if store is None else store.stamp())


def stored(run_id: str) -> Stored:
    """One run's whole record; a record never changes, so it is read once.

    Raises:
        HarnessError: There is no such run, or the store cannot be read.
    """
    found = _stored(read_settings(), run_id)
    # Trust is the one thing that changes, and the snapshot knows it.
    summary = snapshot().summaries.get(run_id)
    return found if summary is None else found._replace(trust=summary.trust, path=summary.path)


def row_of(run_ids: Sequence[str]) -> BoardRow | None:
    """The row of the board that these runs are, in any order; None where they are none.

    Raises:
        HarnessError: The store cannot be read.
    """
    wanted = set(run_ids)
    rows = (row for table in snapshot().tables for row in table.runs if not row.scored)
    return next((row for row in rows if set(row.run_ids) == wanted), None)


def all_runs() -> dict[str, str]:
    """Every run, newest first, by id with words for a list.

    Raises:
        HarnessError: The store cannot be read.
    """
    return _all_runs(snapshot().stamp, read_settings())


def run_choices() -> dict[str, str]:
    """Runs whose descriptors are on this machine, newest first, by id with words for a list.

    Where the disk is slow, every run at first: the one that is chosen is looked at anyway.

    Raises:
        HarnessError: The store cannot be read.
    """
    stamp, settings = snapshot().stamp, read_settings()
    words, looked = _all_runs(stamp, settings), _with_evidence(stamp, settings)
    if not wait([looked], LOOKING).done:
        return words
    found = zip(words.items(), looked.result(), strict=True)
    return {run_id: text for (run_id, text), here in found if here}


def evidence_of(run_id: str) -> Evidence:
    """The stored descriptors and rank lists of a run.

    Raises:
        HarnessError: They are gone or damaged.
    """
    found = stored(run_id)
    folder = found.path.parent
    file = folder / FEATURES
    changed = file.stat().st_mtime_ns if file.exists() else 0
    with st.spinner("Reading the descriptors"):
        return _evidence().take(
            (run_id, folder, changed), lambda: read_evidence(found.record, folder)
        )


def per_query(run_ids: Iterable[str], settings: Settings) -> dict[str, PerQueryValues]:
    """Each query's outcome by run id, for comparisons."""
    wanted = list(run_ids)
    # A table of published numbers alone asks for nothing, and there may be no store at all.
    if not wanted:
        return {}
    store = _opened(settings)
    return _snapshot(settings, store.stamp()).evaluations.outcomes(store.per_query)(wanted)


def plugins() -> Plugins:
    """What is installed."""
    return _plugins()


def infos() -> Mapping[str, MethodInfo]:
    """The installed methods by name."""
    return plugins().methods


@st.cache_resource(max_entries=1, show_spinner=False)
def all_cards() -> dict[str, Card]:
    """The cards of all installed data sets, by name."""
    return {name: load_card(info.card) for name, info in sorted(plugins().datasets.items())}


def _store(settings: Settings) -> Store | None:
    # Opening a store would make it; looking at a folder must not change it.
    if settings.store is None and not (settings.out / STORE_NAME).exists():
        return None
    return _opened(settings)


def _opened(settings: Settings) -> Store:
    return open_store(settings.out, settings.store, PATIENCE)


@st.cache_resource(max_entries=2, show_spinner="Reading the records")
def _snapshot(settings: Settings, stamp: str) -> Snapshot:
    with _kept_for_long():
        store = _store(settings)
        found = [] if store is None else store.summaries()
        claims = _claims()
        more = Evaluations(found, lambda run_id: _stored(settings, run_id).record)
        tables = board([*found, *more.summaries], claims, infos=infos())
        return Snapshot(stamp, {s.run_id: s for s in found}, claims, tuple(tables), more)


@contextlib.contextmanager
def _kept_for_long() -> Iterator[None]:
    """Make many objects that stay, and keep the garbage collector from walking them.

    Streamlit collects after every run of a page, and all threads wait meanwhile: with 5,000 runs a
    tenth of a second each time. What is frozen is still freed when nothing refers to it any more.
    """
    gc.disable()
    try:
        yield
    finally:
        # Cycles that were frozen the last time have their turn now.
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        gc.enable()


@st.cache_resource(max_entries=1, show_spinner=False)
def _claims() -> tuple[PublishedClaim, ...]:
    return load_claims()


@st.cache_resource(max_entries=1, show_spinner=False)
def _plugins() -> Plugins:
    return load_plugins()


# A record of 4,000 queries is a megabyte.
@st.cache_resource(max_entries=64, show_spinner=False)
def _stored(settings: Settings, run_id: str) -> Stored:
    return _opened(settings).get(run_id)


@st.cache_resource(max_entries=2, show_spinner=False)
def _with_evidence(stamp: str, settings: Settings) -> Future[list[bool]]:
    summaries = _snapshot(settings, stamp).summaries
    paths = [summaries[run_id].path.parent / FEATURES for run_id in _all_runs(stamp, settings)]
    return looked_for(paths)


@st.cache_resource(max_entries=2, show_spinner=False)
def _all_runs(stamp: str, settings: Settings) -> dict[str, str]:
    summaries = _snapshot(settings, stamp).summaries
    names = Names(infos())
    return {run_id: _words_of(s, names) for run_id, s in reversed(list(summaries.items()))}


def _words_of(summary: Summary, names: Names) -> str:
    """A run in a list of runs."""
    return (
        f"{names.of_run(summary)} · seed {summary.seed} · {summary.dataset}, "
        f"{summary.protocol} · mAP {summary.metrics['mAP']:.2f} · {summary.run_id[:8]}"
    )


@st.cache_resource(max_entries=1, show_spinner=False)
def _evidence() -> Shelf[Evidence]:
    return Shelf(EVIDENCE_BYTES, size_of)
