"""Training again from a record alone, and how near the new numbers must be to the old ones."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from harness.base.errors import DatasetNotFoundError, RecordError, UnknownNameError
from harness.base.parallel import is_main, world
from harness.base.progress import say
from harness.data.captioned import as_shown_to
from harness.data.opened import OpenDataset
from harness.data.validation import held_out
from harness.evidence import checkout
from harness.evidence.environment import plugins_of
from harness.evidence.record import METRICS, PerQuery, RunRecord
from harness.evidence.reproduction import REPRODUCED
from harness.runs.plan import Plan, deciding_code, run_inputs
from harness.runs.run import Finished, execute
from harness.spec.method import MethodInfo
from harness.spec.plugins import Plugins
from harness.spec.protocol import BoundProtocol
from harness.spec.resolve import from_record
from harness.stats import paired
from harness.store import STORE_NAME, Store
from harness.verify import Finder

Tolerance = Literal["identical", "close"]

POINTS = 0.5
"""Differences of mAP and Rank-1 within this are close, in percent, whatever the interval says."""

# What a record says of its machine that may change the last bit of a sum.
_OF_THE_MACHINE = ("processor", "threads", "device", "gpu", "cuda")
# Later records say these, too.
_SAID_LATER = ("cudnn", "determinism", "numerics")
# More files than these tell a reader nothing more.
_FILES_NAMED = 6
_PACKAGES = ("torch", "torchvision", "timm", "numpy", "pillow")


class Difference(NamedTuple):
    """A metric of the record and of the run made again, in percent."""

    metric: str
    said: float
    found: float
    interval: tuple[float, float] | None
    """95 % of the paired difference, found less said, resampling identities; None for metrics
    that are not compared, and where there is one identity only."""
    close: bool


class Comparison(NamedTuple):
    """What training again came to."""

    tolerance: Tolerance
    why: tuple[str, ...]
    """What is other than it was, so that the numbers need only be close."""
    identical: bool
    """Weights, descriptors and metrics, bit by bit."""
    differences: tuple[Difference, ...]
    problems: tuple[str, ...]
    """What is out of tolerance; empty when the run was reproduced."""


def plan_again(
    record: RunRecord, finder: Finder, into: Path, device: str, other_code: bool
) -> Plan:
    """The plan of a recorded run, from the record alone.

    Args:
        record: A record that was verified.
        finder: Where its data set is looked for.
        into: The new run's folder.
        device: auto (the record's, where it is there), cpu or cuda.
        other_code: Go on although the code is not the record's.

    Raises:
        UnknownNameError: The method is not installed.
        DatasetNotFoundError: The data set is not here.
        RecordError: The data, the code or the number of processes are others than the record's.
    """
    _require_as_many(record)
    info = method_of(record, finder.known)
    protocol = BoundProtocol.model_validate(record.protocol)
    data = held_out(as_shown_to(info, _data_of(record, finder)), protocol.held_out)
    plan = Plan(
        info=info,
        resolved=from_record(info, record.recipe),
        data=data,
        protocol=protocol,
        out=into,
        device=_device(record, device),
        findings=(),
        reproduces=record.run_id,
    )
    plan.require_policy()
    code = run_inputs(plan, record.seed, plan.device)["code"]
    if code != record.code_hash:
        seen = f"the code of {info.name} and of training is {code[:12]} here, the record was made "
        seen += f"by {record.code_hash[:12]} (commit {_commit(record)}){_changed(record, info)}"
        if not other_code:
            raise RecordError(
                seen=seen,
                expected="the very code, so that the same bits can be asked for",
                do="check that commit out, or go on with --allow-other-code",
            )
        say(f"{seen}; going on with other code")
    return plan


def method_of(record: RunRecord, known: Plugins) -> MethodInfo:
    """The method of a run, as it is installed here.

    Raises:
        UnknownNameError: It is not; says which --plugin the run was made with.
    """
    try:
        return known.method(record.method)
    except UnknownNameError as error:
        given = plugins_of(record.environment)
        if given:
            words = " ".join(f"--plugin {shlex.quote(one)}" for one in given)
            error.do = f"the run was made with {words}: give it again, where that file is now"
        raise


def again(plan: Plan, record: RunRecord) -> Finished:
    """Train as the record says, with as many threads; the result goes to no one's store.

    Raises:
        HarnessError: As `harness run`.
    """
    plan.out.mkdir(parents=True, exist_ok=True)
    with _threads(record.environment.get("threads")):
        return execute(plan, record.seed, Store(plan.out / STORE_NAME) if is_main() else None)


def fresh_folder(out: Path, run_id: str) -> Path:
    """Where a run is made again: a folder without a finished one; an interrupted one goes on."""
    number, place = 1, out / REPRODUCED / run_id
    while any(place.glob("*/*/record.json")):
        number += 1
        place = out / REPRODUCED / f"{run_id}.{number}"
    return place


def compare_again(said: RunRecord, found: RunRecord) -> Comparison:
    """Hold a run made again against the record.

    On a CPU of the same kind, with the same threads, code and packages, every bit must be the
    same, and so on a GPU of the same kind, in exact mode, where torch warned of nothing. Otherwise
    mAP and Rank-1 must be close: within half a point, or so that the interval of the paired
    difference holds zero.
    """
    why = tuple(_other(said, found))
    demanded: Tolerance = "close" if why else "identical"
    bits = list(_bits(said, found))
    differences = tuple(_differences(said, found))
    problems = [bit for bit in bits if demanded == "identical"]
    if said.per_query.names != found.per_query.names:
        problems.append("the queries are others, or in another order")
    problems += [
        f"{d.metric}: the record says {d.said}, training again gives {d.found}, and zero is not in "
        f"the paired interval {_ends(d.interval)}"
        for d in differences
        if not d.close
    ]
    return Comparison(demanded, why, not bits, differences, tuple(problems))


def _data_of(record: RunRecord, finder: Finder) -> OpenDataset:
    data, why = finder.data(record)
    if data is None:
        raise DatasetNotFoundError(
            seen=why,
            expected=f"the data of the run, {record.dataset_label}",
            do="name it: --dataset FOLDER",
        )
    if data.data_hash != record.data_hash:
        raise RecordError(
            seen=f"{data.root} holds {data.label} ({data.data_hash[:12]}), the run was trained on "
            f"{record.dataset_label} ({record.data_hash[:12]})",
            expected="the same data, byte by byte",
            do="name the right folder: --dataset FOLDER",
        )
    return data


def _device(record: RunRecord, wanted: str) -> str:
    from harness.training.device import choose_device

    said = str(record.environment.get("device", "")).partition(":")[0]
    if wanted != "auto" or said != "cpu":
        return choose_device(wanted).type
    return said


def _require_as_many(record: RunRecord) -> None:
    said, here = record.environment.get("processes", 1), world().size
    said = said if isinstance(said, int) else 1
    if said != here:
        command = f"harness reproduce {record.run_id}"
        raise RecordError(
            seen=f"the run was trained by {said} processes, and here is {here}",
            expected="as many, since their number changes the last digits of every sum",
            do=command
            if said == 1
            else f"torchrun --standalone --nproc-per-node {said} --no-python {command}",
        )


def _changed(record: RunRecord, info: MethodInfo) -> str:
    """Which files of that code are others now, where the checkout knows the record's commit."""
    commit = str(record.environment.get("commit") or "")
    changed = checkout.changed_since(commit, deciding_code(info))
    if not changed:
        return ""
    named = ", ".join(changed[:_FILES_NAMED])
    more = f" and {len(changed) - _FILES_NAMED} more" if len(changed) > _FILES_NAMED else ""
    return f"; changed since: {named}{more}"


def _commit(record: RunRecord) -> str:
    commit = str(record.environment.get("commit") or "unknown")[:12]
    return commit + (", with uncommitted changes" if record.environment.get("uncommitted") else "")


@contextlib.contextmanager
def _threads(wanted: Any) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    if isinstance(wanted, int) and 0 < wanted <= 4096:
        torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _other(said: RunRecord, found: RunRecord) -> Iterator[str]:
    """What may move the last bits; nothing when the same bits can be asked for."""
    if said.code_hash != found.code_hash:
        yield f"code: {said.code_hash[:12]} then, {found.code_hash[:12]} now"
    then, now = said.environment, found.environment
    pairs = [(name, then.get(name), now.get(name)) for name in _OF_THE_MACHINE]
    pairs += [(name, then[name], now.get(name)) for name in _SAID_LATER if name in then]
    packages = [e.get("packages") for e in (then, now)]
    old, new = (p if isinstance(p, dict) else {} for p in packages)
    pairs += [(name, old.get(name), new.get(name)) for name in _PACKAGES]
    for name, was, is_ in pairs:
        if was != is_:
            yield f"{name}: {was} then, {is_} now"
    if now.get("device") != "cpu" and then.get("device") == now.get("device"):
        yield from _in_any_order(then)


def _in_any_order(environment: Mapping[str, Any]) -> Iterator[str]:
    """Why a run on a GPU need not give the same bits twice; nothing for one in exact mode in which
    torch warned of nothing."""
    numerics = environment.get("numerics")
    numerics = numerics if isinstance(numerics, dict) else {}
    warned = numerics.get("nondeterministic")
    if numerics.get("mode") != "exact" or not isinstance(warned, list):
        yield "a GPU need not add in the same order twice"
    elif warned:
        yield f"torch calls these nondeterministic on a GPU: {', '.join(map(str, warned))}"


def _bits(said: RunRecord, found: RunRecord) -> Iterator[str]:
    for name in ("weights", "features"):
        old, new = said.evidence[name], found.evidence[name]
        if old.sha256 != new.sha256:
            yield f"{old.file} is {new.sha256[:16]}, the record says {old.sha256[:16]}"
    for metric in METRICS:
        if said.metrics[metric] != found.metrics[metric]:
            yield (
                f"{metric}: the record says {said.metrics[metric]}, training again gives "
                f"{found.metrics[metric]}"
            )


def _differences(said: RunRecord, found: RunRecord) -> Iterator[Difference]:
    pids = found.per_query.pids
    for metric in METRICS:
        old, new = said.metrics[metric], found.metrics[metric]
        interval, close = None, True
        if metric in ("mAP", "R1") and said.per_query.names == found.per_query.names:
            now, then = (_values(r.per_query, metric) for r in (found, said))
            low, high = (100 * end for end in paired(now, then, np.array(pids)).interval)
            interval = None if np.isnan(low) else (low, high)
            inside = interval is not None and low <= 0 <= high
            close = abs(new - old) <= POINTS or inside
        yield Difference(metric, old, new, interval, close)


def _values(outcome: PerQuery, metric: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    if metric == "mAP":
        return np.array([np.nan if v is None else v for v in outcome.ap])
    return np.array([np.nan if rank is None else float(rank == 1) for rank in outcome.first_rank])


def _ends(interval: tuple[float, float] | None) -> str:
    return "(there is none)" if interval is None else f"{interval[0]:+.2f} to {interval[1]:+.2f}"


__all__ = [
    "Comparison",
    "Difference",
    "again",
    "compare_again",
    "fresh_folder",
    "method_of",
    "plan_again",
]
