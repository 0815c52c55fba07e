"""What `harness evaluate --run` kept beside records, as rows of those protocols' tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from harness.base.errors import HarnessError
from harness.board.rows import OF_RUN, PerQuery
from harness.evidence.evaluations import FILE, Evaluated, outcome_of, read
from harness.evidence.record import METRICS, RunRecord
from harness.evidence.trust import Trust
from harness.spec.text import captions_of
from harness.store import PerQueryValues, Store, Summary

# A disk far away answers many questions at once in the time of one.
_ASKED_AT_ONCE = 16


class _Kept(NamedTuple):
    folder: Path
    result: Evaluated


class Evaluations:
    """Numbers of runs under further protocols, which are evidence of the run and no records.

    Each is made of a run's summary: its id is that of the run with protocol and data behind an @,
    its level `evaluated`.

    Args:
        runs: Every run; those without such numbers give nothing.
        record: The record of a run's id, which says whose weights count.
    """

    def __init__(self, runs: Iterable[Summary], record: Callable[[str], RunRecord]) -> None:
        self.summaries: list[Summary] = []
        self._kept: dict[str, _Kept] = {}
        for run in _with_file(list(runs)):
            for one in _results(run, record):
                summary = _summary(run, one)
                if summary is not None:
                    self.summaries.append(summary)
                    self._kept[summary.run_id] = _Kept(run.path.parent, one)

    def outcomes(self, of_runs: PerQuery) -> PerQuery:
        """Each query's outcome by id, of runs and of these alike.

        Args:
            of_runs: As `Store.per_query`.
        """

        def found(ids: Iterable[str]) -> Mapping[str, PerQueryValues]:
            wanted = list(ids)
            here = {one: self._outcome(one) for one in wanted if one in self._kept}
            known = {one: values for one, values in here.items() if values is not None}
            others = [one for one in wanted if one not in here]
            return {**(of_runs(others) if others else {}), **known}

        return found

    def _outcome(self, one: str) -> PerQueryValues | None:
        values = outcome_of(*self._kept[one])
        return None if values is None else PerQueryValues(**dict(values))


def with_evaluations(store: Store | None) -> tuple[list[Summary], PerQuery]:
    """What a board is made of: every run of a store, and what each scored under other protocols.

    Returns:
        The summaries, and each query's outcome by their ids. Of no store, none.

    Raises:
        StoreError: It does not answer.
    """
    if store is None:
        return [], lambda ids: {}
    runs = store.summaries()
    more = Evaluations(runs, lambda run_id: store.get(run_id).record)
    return [*runs, *more.summaries], more.outcomes(store.per_query)


def _with_file(runs: Sequence[Summary]) -> list[Summary]:
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        there = pool.map(lambda run: (run.path.parent / FILE).is_file(), runs)
        return [run for run, is_there in zip(runs, there, strict=True) if is_there]


def _results(run: Summary, record: Callable[[str], RunRecord]) -> list[Evaluated]:
    try:
        weights = record(run.run_id).evidence.get("weights")
    except HarnessError:
        # A damaged record is named where the run itself is looked at.
        return []
    return [] if weights is None else read(run.path.parent, weights.sha256)


def _summary(run: Summary, one: Evaluated) -> Summary | None:
    """The run under another protocol; None where it is its own, or numbers or names are lacking."""
    dataset = one.dataset or (run.dataset if one.data_hash == run.data_hash else "")
    # A table is of the images, and only where the label says that there were captions beside them.
    pictures = (captions_of(dataset) and one.pictures_hash) or one.data_hash
    same = (one.protocol_hash, pictures) == (run.protocol_hash, run.data_hash)
    own = same and captions_of(dataset) == captions_of(run.dataset)
    if own or not dataset or any(metric not in one.metrics for metric in METRICS):
        return None
    return run._replace(
        run_id=f"{run.run_id}{OF_RUN}{one.protocol_hash[:12]}-{one.data_hash[:12]}",
        dataset=dataset,
        data_hash=pictures,
        protocol=one.protocol,
        protocol_hash=one.protocol_hash,
        metrics={name: one.metrics[name] for name in METRICS},
        intervals={name: one.intervals.get(name) for name in METRICS},
        chance=one.chance,
        queries=one.queries,
        valid_queries=one.valid_queries,
        trust=Trust.EVALUATED,
    )
