"""Writes drawn sets in any layout: in parallel, resumable, and never half there."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from harness.base.errors import HarnessError
from harness.base.files import no_space_named
from harness.base.progress import Advance
from harness.data.captions import FILES, Caption, joined, write_captions
from harness.data.reconstruct import is_whole, write_jpeg
from reid_datasets.describe import captions_of
from reid_datasets.drawings import Drawing, in_parallel
from reid_datasets.figures import Identity, draw_identity, draw_triplet
from reid_datasets.names import parse
from reid_datasets.staging import MARKER, partial_folder

GENERATOR = "figures"
VERSION = 1
"""Raised whenever the same numbers no longer give the same pictures."""

QUALITY = 92

_CHUNK = 24
# Below this, starting processes takes longer than drawing.
_WORTH_A_POOL = 100


class _Task(NamedTuple):
    """A share of the drawing, small enough to send to another process."""

    root: Path
    drawings: tuple[Drawing, ...]
    seed: int
    size: tuple[int, int]


def write_parallel(
    out: Path,
    folders: Mapping[str, Sequence[str]],
    seed: int,
    size: tuple[int, int] = (256, 128),
    name: str = "synthetic",
    progress: Advance | None = None,
    workers: int | None = None,
) -> None:
    """Draw `<out>/<folder>/{RGB,NI,TI}/<file name>` for all names, and a marker that says so.

    Args:
        out: The folder to make; it may exist if it is empty.
        folders: File names, in RGBNT201's grammar, for each folder.
        seed, size, name, progress, workers: As for `write_set`.

    Raises:
        FileNameError: A name is outside the grammar.
        DataError, DiskFullError: As `write_set`.
    """
    drawings = [
        in_parallel(folder, n, *parse(n)) for folder, names in folders.items() for n in names
    ]
    counts = {folder: len(names) for folder, names in folders.items()}
    write_set(out, drawings, counts, seed, size, {"name": name}, progress, workers)


def write_set(
    out: Path,
    drawings: Sequence[Drawing],
    counts: Mapping[str, int],
    seed: int,
    size: tuple[int, int],
    about: Mapping[str, Any],
    progress: Advance | None = None,
    workers: int | None = None,
) -> None:
    """Draw every drawing into its files under `out`, with captions, and a marker that says so.

    All is written beside `out` and takes its place at the end; a second call after an
    interruption goes on where the first one stopped.

    Args:
        out: The folder to make; it may exist if it is empty.
        drawings: Who is on each, and the files it becomes.
        counts: Samples of each split folder, for the marker.
        seed: What all randomness comes from; the same seed gives the same files.
        size: Height and width of one modality's picture.
        about: What else the marker says: the `name` of the set at least.
        progress: Called with how many more triplets are there; those of an earlier call too.
        workers: Processes that draw; 1 draws in this one, None takes the processors there are.

    Raises:
        DataError: `out` has something in it already.
        DiskFullError: No space was left; a second call goes on.
    """
    _refuse_import()
    out = out.resolve()
    marker = {
        **about,
        "generator": GENERATOR,
        "version": VERSION,
        "seed": seed,
        "size": list(size),
        "counts": dict(counts),
    }
    with no_space_named(out), partial_folder(out, marker) as partial:
        if partial is None:
            return
        for folder in {(partial / f).parent for d in drawings for f in d.files}:
            folder.mkdir(parents=True, exist_ok=True)
        missing = [d for d in drawings if not _is_drawn(partial, d)]
        tasks = [
            _Task(partial, tuple(missing[i : i + _CHUNK]), seed, size)
            for i in range(0, len(missing), _CHUNK)
        ]
        tell = progress or (lambda count: None)
        tell(len(drawings) - len(missing))
        for count in _drawn(tasks, workers):
            tell(count)
        _remove_strangers(partial, drawings)
        write_captions(partial / FILES[0], _said(drawings, seed))
        if out.exists():
            out.rmdir()
        partial.rename(out)


def _refuse_import() -> None:
    # A pool's processes import the caller's script; one that draws while it is being imported
    # would wait forever for the lock that its parent holds.
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise _unguarded("a script that draws a set while it is being imported")


def _unguarded(seen: str) -> HarnessError:
    return HarnessError(
        seen=seen,
        expected="the call in a function, under: if __name__ == '__main__':",
        do="guard the script's last lines so, or pass workers=1",
    )


def _is_drawn(partial: Path, drawing: Drawing) -> bool:
    """Whether all its pictures are there to their last byte."""
    return all(is_whole(partial / file) for file in drawing.files)


def _remove_strangers(partial: Path, drawings: Sequence[Drawing]) -> None:
    """Remove what interrupted calls left: temporary files, and names no longer asked for."""
    wanted = {partial / file for d in drawings for file in d.files}
    for path in list(partial.rglob("*")):
        if path.is_file() and path not in wanted and path != partial / MARKER:
            path.unlink()


def _said(drawings: Sequence[Drawing], seed: int) -> list[Caption]:
    """A caption of every picture, once where query and gallery share it."""
    rows = [
        row
        for d in drawings
        for file, modalities in d.files.items()
        for row in captions_of(Path(file).name, _identity(seed, d.pid), modalities)
    ]
    return joined(rows, "the drawing")


def _drawn(tasks: Sequence[_Task], workers: int | None) -> Iterator[int]:
    """Do the tasks, in this process or several, and say after each how many names it had."""
    pictures = sum(len(task.drawings) for task in tasks)
    count = workers or (_processors() if pictures >= _WORTH_A_POOL else 1)
    if count == 1 or not tasks or not _can_spawn():
        yield from map(_draw, tasks)
        return
    pool = ProcessPoolExecutor(
        min(count, len(tasks)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
    )
    try:
        for future in as_completed([pool.submit(_draw, task) for task in tasks]):
            yield future.result()
    except BrokenProcessPool as error:
        raise _unguarded("a drawing process ended before its work was done") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _can_spawn() -> bool:
    # A pool's processes import the caller's script; one that was typed or piped in has no file.
    script = getattr(sys.modules["__main__"], "__file__", None)
    return script is None or Path(script).exists()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@lru_cache(maxsize=64)
def _identity(seed: int, pid: int) -> Identity:
    return draw_identity(seed, pid)


def _draw(task: _Task) -> int:
    for drawing in task.drawings:
        pid, camid, index, files = drawing
        pictures = draw_triplet(_identity(task.seed, pid), camid, index, task.seed, task.size)
        for file, modalities in files.items():
            write_jpeg(task.root / file, _side_by_side([pictures[m] for m in modalities]), QUALITY)
    return len(task.drawings)


def _side_by_side(pictures: Sequence[Image.Image]) -> Image.Image:
    if len(pictures) == 1:
        return pictures[0]
    width, height = pictures[0].size
    strip = Image.new("RGB", (width * len(pictures), height))
    for place, picture in enumerate(pictures):
        strip.paste(picture, (place * width, 0))
    return strip
