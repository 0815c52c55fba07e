"""Archives from strangers: unpacked into a folder of their own, verified, and maybe kept."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from harness.base.errors import BundleError, HarnessError
from harness.base.files import require_space
from harness.evidence import strict_json
from harness.evidence.check import in_one_line
from harness.evidence.container import copy_out, damaged, stored_zip, too_large
from harness.evidence.fields import field_problem
from harness.evidence.record import RunRecord, write_record
from harness.evidence.trust import Trust
from harness.spec.plugins import load_plugins
from harness.store import open_store
from harness.verify import Check, Finder, Found, checks_of, failures, read
from harness.verify.level import keep_level
from harness.verify.write import RECIPE, RECORD, WEIGHTS

_MIB = 1 << 20
# The only names there can be, so that no path can leave the folder; and the most bytes of each.
_LARGEST = {
    RECORD: 16 * _MIB,
    RECIPE: _MIB,
    "train.jsonl": 16 * _MIB,
    "features.npz": 1024 * _MIB,
    "ranks.npz": 256 * _MIB,
    WEIGHTS: 3072 * _MIB,
}
# Letters of a check's name and of its words; what is longer was made to fill a page.
_NAME, _LONGEST = 80, 600
SUBMITTED = "submitted"
"""The folder under --out that holds runs of others."""


class Limits(NamedTuple):
    """What a bundle may cost the machine that verifies it."""

    size: int = 4096 * _MIB
    """Bytes of the whole file."""
    pairs: int = 1 << 28
    """Queries times gallery entries; Market-1501's full size has a fifth of them."""


LIMITS = Limits()


class Admitted(NamedTuple):
    """A run of someone else that is now in the store."""

    record: RunRecord
    path: Path
    checks: tuple[Check, ...]
    level: Trust
    fresh: bool
    """False where the store had it already."""


def verify_bundle(
    path: Path, finder: Finder | None = None, limits: Limits = LIMITS
) -> Generator[Check, None, RunRecord | None]:
    """Check an archive step by step, in a temporary folder; nothing of it is kept.

    Args:
        path: The archive, from anyone.
        finder: Where the data set is looked for; by default where `harness run` looks.
        limits: What it may cost.

    Yields:
        Each check as it is done. The first that is about the archive itself ends it when it fails.

    Returns:
        The record, once nothing in it can harm who sees it; None if the archive ended before that.
    """
    with tempfile.TemporaryDirectory(prefix="harness-bundle-") as place:
        return (yield from _steps(path, Path(place), finder, limits))


def admit(path: Path, out: Path, finder: Finder | None = None, limits: Limits = LIMITS) -> Admitted:
    """Verify an archive and, if every check holds, keep it under `out` and in its store.

    Args:
        path: The archive, from anyone.
        out: The folder of runs; the archive's files go to `submitted/RUN_ID` in it.
        finder: Where the data set is looked for.
        limits: What it may cost.

    Raises:
        BundleError: A check fails; nothing is kept.
        StoreError: There is no such folder, or its store cannot be written.
    """
    store = open_store(out)
    home = out / SUBMITTED
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=home) as place:
        folder = Path(place) / "run"
        folder.mkdir()
        checks = list(_steps(path, folder, finder, limits))
        wrong = failures(checks)
        if wrong:
            raise BundleError(
                seen=f"{len(wrong)} of {len(checks)} checks of {path.name} fail, first "
                f"{wrong[0].name}: {wrong[0].problem}",
                expected="an archive in which everything holds",
                do=f"harness verify {path.name} shows every check",
            )
        record = read(folder / RECORD).record
        known = next((s for s in store.summaries() if s.run_id == record.run_id), None)
        if known is not None:
            return Admitted(record, known.path, tuple(checks), known.trust, fresh=False)
        # As a record of ours is written: what was written by hand beside its fields stays behind.
        write_record(folder / RECORD, record)
        kept = home / record.run_id
        _move(folder, kept)
    store.add(record, kept / RECORD)
    level = keep_level(store, record.run_id, checks)
    return Admitted(record, kept / RECORD, tuple(checks), level, fresh=True)


def _move(folder: Path, kept: Path) -> None:
    """Put a verified run into its place; what a store that is gone left there makes way."""
    if kept.exists():
        shutil.rmtree(kept)
    folder.rename(kept)


def _steps(
    path: Path, folder: Path, finder: Finder | None, limits: Limits
) -> Generator[Check, None, RunRecord | None]:
    try:
        _unpack(path, folder, limits)
        found = read(folder / RECORD)
        _require_recipe(found, folder / RECIPE)
    except (HarnessError, OSError) as error:
        yield _shown(Check("archive", in_one_line(error)))
        return None
    yield Check("archive")
    problem = field_problem(found.record)
    yield Check("fields", problem)
    if problem:
        return None  # nothing of it is to be shown
    yield from map(_shown, checks_of(found, finder or Finder(load_plugins()), limits.pairs))
    return found.record


def _shown(check: Check) -> Check:
    """A check whose words are safe on a terminal: some of them are the stranger's."""
    return Check(check.name[:_NAME], *(_escaped(text) for text in (check.problem, check.unchecked)))


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:_LONGEST])


def _unpack(path: Path, folder: Path, limits: Limits) -> None:
    size = path.stat().st_size
    if size > limits.size:
        raise too_large(path.name, size, limits.size)
    require_space(folder, size)
    with stored_zip(path, most_entries=len(_LARGEST)) as archive:
        strange = [name for name in archive.entries if name not in _LARGEST]
        if strange:
            raise damaged(path, f"{strange[0][:80]!r} is no file of a run")
        gone = [n for n in _LARGEST if n not in archive.entries and n != WEIGHTS]
        if gone:
            raise damaged(path, f"{gone[0]} is not in it")
        for name in archive.entries:
            # "x" makes a new file and follows no link; the folder is empty and ours.
            with (folder / name).open("xb") as target:
                copy_out(archive, name, target, _LARGEST[name])


def _require_recipe(found: Found, path: Path) -> None:
    try:
        same = strict_json.parse(path.read_bytes()) == found.record.recipe
    except ValueError as error:
        raise damaged(path, str(error)) from error
    if not same:
        raise damaged(path, "it is another recipe than the record's")
