"""Every number that follows from the descriptors, computed again and held against the files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.base.errors import BundleError, HarnessError
from harness.evidence.arrays import FEATURES, RANKS, shapes
from harness.evidence.check import Check, difference, first_difference, in_one_line
from harness.evidence.features_file import Side, read_own
from harness.evidence.record import RunRecord
from harness.runs.evaluation import Evaluation, evaluate, scored
from harness.spec.protocol import BoundProtocol


class Sides(NamedTuple):
    """Both sides of a features file."""

    query: Side
    gallery: Side


def read_sides(path: Path, most_pairs: int | None) -> Sides:
    """The descriptors of a run, once the file is known to be plain.

    Args:
        path: `features.npz` of a run.
        most_pairs: The most queries times gallery entries that are scored; None for any.

    Raises:
        HarnessError: No such file, or none that a run writes.
    """
    if path.is_file():
        found = shapes(path, FEATURES)
        rows = [shape[0] for name, shape in found.items() if name.endswith("features")]
        pairs = rows[0] * rows[-1] if rows else 0
        if most_pairs is not None and pairs > most_pairs:
            raise BundleError(
                seen=f"{path.name} has {rows[0]:,} queries and {rows[-1]:,} gallery rows",
                expected=f"at most {most_pairs:,} pairs of them",
                do="verify the run's own folder instead: harness verify FOLDER",
            )
    query, gallery = read_own(path)
    for name, side in (("query", query), ("gallery", gallery)):
        if not len(side.features) == len(side.names) == len(side.labels):
            raise BundleError(
                seen=f"{path.name} has {len(side.features)} {name} descriptors, "
                f"{len(side.names)} names and {len(side.labels)} identities",
                expected="as many of each",
                do="keep the file as harness run wrote it",
            )
    return Sides(query, gallery)


def checks_of_numbers(
    record: RunRecord, protocol: BoundProtocol, sides: Sides, ranks: Path
) -> Iterator[Check]:
    """The metrics to the last digit, their statistics, and the lists they were counted on."""
    try:
        found = evaluate(sides.query, sides.gallery, protocol)
    except (HarnessError, ValueError) as error:
        yield Check("rescoring", in_one_line(error))
        return
    yield from _numbers(record, scored(found, sides.query))
    width = sides.query.features.shape[1]
    yield Check("descriptor", difference(record.cost.get("descriptor"), width))
    yield from _ranks(ranks, found, sides)


def _numbers(record: RunRecord, computed: dict[str, Any]) -> Iterator[Check]:
    """Every number of the accuracy part, held against what a new record would say."""
    for kind in ("metrics", "intervals", "chance"):
        said, now = getattr(record, kind), computed[kind]
        for name in dict.fromkeys((*now, *said)):
            yield Check(f"{kind} {name}", difference(said.get(name), now.get(name)))
    for kind in ("queries", "valid_queries"):
        yield Check(kind, difference(getattr(record, kind), computed[kind]))
    yield Check("cmc", first_difference(record.cmc, computed["cmc"], lambda i: f"rank {i + 1}"))
    names = computed["per_query"]["names"]
    for field, now in computed["per_query"].items():
        said = getattr(record.per_query, field)
        # Records of the first version have neither pids nor inp.
        if said is not None:
            place = _place("query", names)
            yield Check(f"per-query {field}", first_difference(said, now, place))


def _ranks(path: Path, found: Evaluation, sides: Sides) -> Iterator[Check]:
    """The contents of `ranks.npz`, which pages show: each list and each query's outcome."""
    if not path.is_file():
        return  # said with the evidence
    try:
        shapes(path, RANKS)
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (HarnessError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        yield Check("rank lists", in_one_line(error))
        return
    yield Check("rank lists", _lists_problem(arrays.get("rank_lists"), found.rank_lists, sides))
    values = {
        "per_query_ap": found.score.per_query_ap,
        "per_query_inp": found.score.per_query_inp,
        "first_rank": found.score.first_rank,
    }
    for name, now in values.items():
        yield Check(f"ranks {name}", _values_problem(arrays.get(name), now, sides.query.names))


def _lists_problem(said: NDArray[Any] | None, computed: NDArray[np.int32], sides: Sides) -> str:
    if said is None or said.shape != computed.shape:
        shape = None if said is None else said.shape
        return f"ranks.npz has rank_lists of shape {shape}, rescoring gives {computed.shape}"
    wrong = np.argwhere(said != computed)
    if not len(wrong):
        return ""
    query, place = (int(n) for n in wrong[0])
    lists = len(set(wrong[:, 0].tolist()))
    return (
        f"{lists} of {len(computed)} rank lists differ, first that of "
        f"{_place('query', sides.query.names)(query)}: at rank {place + 1} ranks.npz has "
        f"{_entry(said[query, place], sides.gallery.names)}, rescoring gives "
        f"{_entry(computed[query, place], sides.gallery.names)}"
    )


def _entry(index: Any, names: Sequence[str]) -> str:
    number = int(index)
    known = names[number] if 0 <= number < len(names) else "no entry"
    return f"gallery row {number} ({known})"


def _values_problem(said: NDArray[Any] | None, computed: NDArray[Any], names: Sequence[str]) -> str:
    if said is None or said.shape != computed.shape:
        return f"ranks.npz has {None if said is None else len(said)} values, not {len(computed)}"
    # NaN stands for a query without a match, on both sides alike.
    same = (said == computed) | ((said != said) & (computed != computed))  # noqa: PLR0124
    plain = ["-" if ok else str(v) for v, ok in zip(said, same, strict=True)]
    now = ["-" if ok else str(v) for v, ok in zip(computed, same, strict=True)]
    return first_difference(plain, now, _place("query", names), "ranks.npz")


def _place(what: str, names: Sequence[str]) -> Any:
    return lambda i: f"{what} {i} ({names[i]})" if i < len(names) else f"{what} {i}"
