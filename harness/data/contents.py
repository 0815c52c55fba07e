"""What each file holds, its digest and picture size, remembered so that no file is read twice."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageOps

from harness.base.errors import DataError, UnreadableImageError
from harness.base.files import cache_folder, write_text
from harness.base.hashing import digest, json_text
from harness.base.progress import progress
from harness.data.forms import COLOURS_16, PLAIN, depth_of, extremes, form_of, own_range
from harness.data.images import FORMATS, read_image, require_one_picture
from harness.spec.dataset import Range

# Files a thread takes at once: with fewer, handing out work costs as much as tiny files do.
_BLOCK = 32

_NOT_OPENED = -1

# Of a row in the memory's file: the fields of Content.
_KINDS = [int, int, int, int, str, str, int, int, float, float]


class Content(NamedTuple):
    """One file as it was when it was last read."""

    size: int
    mtime_ns: int
    ctime_ns: int
    """When the name or the bytes last changed; unlike `mtime_ns`, no program can set it."""
    inode: int
    digest: str
    """SHA-256 of its bytes."""
    form: str
    """Of the picture, as `harness.data.forms.form_of` says it; empty for a plain one or none."""
    width: int
    """Of the picture in pixels; 0 if it is no whole picture, -1 if nobody looked yet."""
    height: int
    lowest: float
    """Of a decoded picture of more than 8 bits, infinite if some are no numbers; else both 0."""
    highest: float

    @property
    def opened(self) -> bool:
        """Whether the file is known to be a picture, or known to be none."""
        return self.width != _NOT_OPENED


def read_contents(
    root: Path, files: Iterable[Path], open_images: bool = False, reread: bool = False
) -> dict[Path, Content | None]:
    """The content of every file, from memory where the system says that it is the same as before.

    That is its size, its inode and both of its times. A file system can be wrong about them, and
    whoever owns a machine can make it so; what must be sure asks to read again.

    Args:
        root: The data set's folder; the memory is kept for each root.
        files: Files, usually under `root`.
        open_images: Also decode them; without it, `width` and `height` may be unknown.
        reread: Believe no memory, and read every byte.

    Returns:
        In the order of the sorted paths; None for what cannot be read at all.

    Raises:
        DiskFullError: The memory cannot be written.
    """
    paths = _sorted(files)
    memory, found = _recall(root, paths)
    fresh = [
        p for p in paths if reread or (row := found[p]) is None or (open_images and not row.opened)
    ]
    if not fresh:
        return found
    label = "opening every image" if open_images else "reading the files once for their hash"
    try:
        with progress(label, len(fresh)) as advance:
            for block in _examined(fresh, open_images):
                found.update(block)
                advance(len(block))
    except BaseException:
        # What was read before Ctrl-C need not be read again, but the stop itself comes first.
        with contextlib.suppress(Exception):
            _remember(root, memory, found)
        raise
    _remember(root, memory, found)
    return found


def known_contents(root: Path, files: Iterable[Path]) -> dict[Path, Content]:
    """What is remembered of the files and still true of them; reads none."""
    found = _recall(root, _sorted(files))[1]
    return {path: content for path, content in found.items() if content is not None}


def unreadable(
    contents: Mapping[Path, Content | None], spans: Mapping[Path, Range]
) -> list[DataError]:
    """The problem of every file that is no whole picture, or that needs a range and has none.

    They are few, and each is opened again: its message then names the file as it is reached now.

    Args:
        contents: What was read.
        spans: The range of each file that has one.
    """
    suspects = [p for p, c in contents.items() if c is None or _is_suspect(c, spans.get(p))]
    return [problem for p in suspects if (problem := _problem(p, spans.get(p)))]


def _is_suspect(content: Content, span: Range | None) -> bool:
    depth = depth_of(content.form)
    if content.width == 0 or (span is not None and COLOURS_16 in content.form):
        return True
    without_white = bool(depth) and span is None and own_range(depth) is None
    return without_white or math.isinf(content.highest)


def _problem(path: Path, span: Range | None) -> DataError | None:
    if path.is_symlink() and not path.exists():
        return UnreadableImageError(
            seen=f"{path} is a link to {path.readlink()}, which is not there",
            expected="a file, or a link to one",
            do="restore the linked file, or link the right one",
        )
    try:
        read_image(path, span)
    except DataError as error:
        return error
    return None


def _examined(paths: list[Path], open_images: bool) -> Iterator[dict[Path, Content | None]]:
    def examine(block: list[Path]) -> dict[Path, Content | None]:
        return {path: _examine(path, open_images) for path in block}

    blocks = [paths[i : i + _BLOCK] for i in range(0, len(paths), _BLOCK)]
    # Hashing and decoding let go of the interpreter lock. Closing the results before the pool
    # drops the work not begun, so that Ctrl-C is answered at once.
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        contextlib.closing(pool.map(examine, blocks)) as results,  # type: ignore[type-var]
    ):
        yield from results


def _examine(path: Path, open_images: bool) -> Content | None:
    try:
        # Before reading: a file that changes meanwhile is then read again next time.
        before = path.stat()
        if not stat.S_ISREG(before.st_mode):
            return None  # a pipe would be waited for, and a device has no end
        content = path.read_bytes()
    except OSError:
        return None
    form, width, height, *ends = _look(content, path, open_images)
    value = hashlib.sha256(content).hexdigest()
    return Content(*_marks(before), value, form, width, height, *ends)


def _marks(said: os.stat_result) -> tuple[int, int, int, int]:
    """What the system says of a file that changes with its bytes; the head of a Content."""
    return said.st_size, said.st_mtime_ns, said.st_ctime_ns, said.st_ino


def _look(content: bytes, path: Path, decode: bool) -> tuple[str, int, int, float, float]:
    """Form, width, height, lowest and highest value; a file may as well be no picture."""
    form, nothing = PLAIN, (_NOT_OPENED, 0, 0.0, 0.0)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            form = form_of(image, content)
            if not decode:
                return form, *nothing
            require_one_picture(image, path)
            image.load()
            ends = extremes(image) if depth_of(form) else (0.0, 0.0)
            return form, *ImageOps.exif_transpose(image).size, *ends
    except Exception:
        if not decode:
            return form, *nothing
        try:
            return form, *read_image(path).size, 0.0, 0.0
        except DataError:
            return form, 0, 0, 0.0, 0.0


def _memory_file(root: Path) -> Path:
    return cache_folder() / "digests" / f"{digest(str(root.resolve()))[:16]}.json"


def _recall(root: Path, paths: list[Path]) -> tuple[dict[str, Content], dict[Path, Content | None]]:
    """All that is remembered of the root, and for each path what still fits it."""
    try:
        rows = json.loads(_memory_file(root).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        rows = {}
    rows = rows if isinstance(rows, dict) else {}
    memory = {key: Content(*row) for key, row in rows.items() if _whole(row)}
    found: dict[Path, Content | None] = {}
    for path in paths:
        known = memory.get(relative(path, root))
        found[path] = known if known is not None and _fits(path, known) else None
    return memory, found


def _fits(path: Path, known: Content) -> bool:
    try:
        stat = path.stat()
    except OSError:
        return False
    return _marks(stat) == known[:4]


def _whole(row: object) -> bool:
    return isinstance(row, list) and list(map(type, row)) == _KINDS


def _remember(root: Path, memory: dict[str, Content], found: Mapping[Path, Content | None]) -> None:
    fresh = {relative(path, root): content for path, content in found.items()}
    # Another list of the same root may know more files; those that are gone are forgotten.
    others = {k: c for k, c in memory.items() if k not in fresh and (root / k).exists()}
    rows = others | {k: c for k, c in fresh.items() if c is not None}
    write_text(_memory_file(root), json_text(rows, separators=(",", ":")))


def relative(path: Path, root: Path) -> str:
    """The path as seen from the root, with forward slashes; it may begin with `..`."""
    # Of 60,000 paths, pathlib alone would take seconds.
    text, inside = str(path), f"{root}{os.sep}"
    if text.startswith(inside):
        return text[len(inside) :].replace(os.sep, "/")
    if path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return Path(os.path.relpath(path, root)).as_posix()


def _sorted(files: Iterable[Path]) -> list[Path]:
    # The order of paths themselves, several times faster: tuples compare in C.
    return sorted(set(files), key=lambda path: path.parts)
