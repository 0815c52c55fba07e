"""The level of trust that checks come to, kept in the store and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.evidence.check import Check
from harness.evidence.environment import harness_version
from harness.evidence.trust import Trust
from harness.store import Store


def keep_level(store: Store, run_id: str, checks: Sequence[Check]) -> Trust:
    """`rescored` when every check holds, `reported` again when one fails.

    A run that was trained again stays `rerun` as long as its checks hold.

    Returns:
        The level the run now has.

    Raises:
        UnknownNameError: The store has no such run.
    """
    before = store.trust_of(run_id)
    failed = {check.name: check.problem for check in checks if check.problem}
    found: dict[str, Any] = {
        "harness": harness_version(),
        "checks": len(checks),
        "failed": failed,
        "not_checked": {c.name: c.unchecked for c in checks if c.unchecked},
    }
    if failed:
        store.set_trust(run_id, Trust.REPORTED, {"verify": found})
        return Trust.REPORTED
    earlier = {} if before is None else before.checked
    rerun = before is not None and before.trust is Trust.RERUN
    level = Trust.RERUN if rerun else Trust.RESCORED
    store.set_trust(run_id, level, {**earlier, "verify": found})
    return level


def keep_rerun(store: Store, run_id: str, found: Mapping[str, Any]) -> Trust:
    """`rerun` when training again came out within tolerance; otherwise it is taken away.

    Args:
        store: Where the run is.
        run_id: The run; all its checks hold.
        found: JSON-ready; what training again came to, with `problems` that are empty for success.

    Returns:
        The level the run now has.
    """
    before = store.trust_of(run_id)
    earlier = {} if before is None else before.checked
    level = Trust.RESCORED if found["problems"] else Trust.RERUN
    store.set_trust(run_id, level, {**earlier, "reproduce": dict(found)})
    return level
