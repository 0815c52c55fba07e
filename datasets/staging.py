"""A folder that is filled beside its place, by one process at a time, and can be gone on with."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.base.errors import DataError
from harness.base.files import write_json
from harness.base.refused import hold

MARKER = "SYNTHETIC.json"
"""Says how a set was drawn, so that nobody mistakes the folder for the real one."""


@contextlib.contextmanager
def partial_folder(out: Path, marker: dict[str, Any]) -> Iterator[Path | None]:
    """The folder to draw into, held by this process; None if another one made `out` meanwhile."""
    partial = out.with_name(f".{out.name}.partial")
    _refuse_full(out)
    while True:
        partial.mkdir(parents=True, exist_ok=True)
        with _held(partial) as held:
            if not held:
                continue
            if out.exists() and any(out.iterdir()):
                partial.rmdir()
                if _reads(out) != marker:
                    _refuse_full(out)
                yield None
                return
            _begin(partial, marker)
            yield partial
            return


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Wait for other processes to leave the folder; False if it was renamed in the meantime."""
    if sys.platform == "win32":
        yield True
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        # Without locks two may draw the same files, which does no harm.
        hold(handle, folder, wait=True)
        yield _is_at(handle, folder)
    finally:
        os.close(handle)


def _is_at(handle: int, folder: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), folder.stat())
    except FileNotFoundError:
        return False


def _refuse_full(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(
            seen=f"{out} is there already and not empty",
            expected="a folder that does not exist yet, or an empty one",
            do=f"name another folder, or remove this one: rm -r {out}",
        )


def _begin(partial: Path, marker: dict[str, Any]) -> None:
    """Keep what an earlier call for the same set drew; clear what one for another set drew."""
    before = _reads(partial)
    if before == marker:
        return
    for entry in list(partial.iterdir()):
        if before is None and not entry.name.endswith(".tmp"):
            raise DataError(
                seen=f"{entry} in a folder that this command did not make",
                expected=f"no folder {partial.name}, or one with the {MARKER} of an earlier call",
                do=f"move it away: {partial}",
            )
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    write_json(partial / MARKER, marker)


def _reads(folder: Path) -> object:
    try:
        return json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None
