"""Which files are on this machine, looked for beside the page: a network disk may take long."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Thread

_LOOKERS, _AT_ONCE = 16, 100


def looked_for(paths: Sequence[Path]) -> Future[list[bool]]:
    """Whether each path is a file, when all have been looked at."""
    asked: Future[list[bool]] = Future()
    Thread(target=_look, args=(paths, asked), name="present", daemon=True).start()
    return asked


def _look(paths: Sequence[Path], asked: Future[list[bool]]) -> None:
    # On a network disk each look takes a millisecond, so that 5,000 need company.
    parts = [paths[start : start + _AT_ONCE] for start in range(0, len(paths), _AT_ONCE)]
    with ThreadPoolExecutor(_LOOKERS) as pool:
        asked.set_result([found for part in pool.map(_are_files, parts) for found in part])


def _are_files(paths: Sequence[Path]) -> list[bool]:
    return [path.is_file() for path in paths]
