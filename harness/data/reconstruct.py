"""What it takes to make one data set from another, and a folder that is never half made."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from PIL import Image

from harness.base.errors import DataError
from harness.base.files import no_space_named, write_json
from harness.base.progress import say
from harness.base.refused import take_place
from harness.base.stages import only_one
from harness.spec.modality import Modality

MARKER = "RECONSTRUCTED.json"
"""Says what a folder was made from and how, so that nobody mistakes it for a published set."""

QUALITY = 95
_END_OF_JPEG = b"\xff\xd9"


class Translate(Protocol):
    """A translator as a reconstruction sees it."""

    source: Modality
    target: Modality
    card: dict[str, Any]

    def __call__(self, image: Image.Image) -> Image.Image:
        """The image in the target modality, of the same size."""
        ...


class Reconstruction(NamedTuple):
    """How a data set is made from another one.

    A data set's loader lists those it knows as `reconstructions`, a mapping from a name for the
    command line to the "package.module:NAME" of one of these.
    """

    translation: tuple[Modality, Modality] | None
    """The source and target of the translator it needs; None if it needs none."""
    make: Callable[[Path, Path, Translate | None], dict[str, Any]]
    """make(root, out, translate) writes into `out` and returns the marker's content."""


@contextlib.contextmanager
def filled_folder(out: Path, marker: Mapping[str, Any]) -> Iterator[Path | None]:
    """The folder to write into, which becomes `out` when the block ends without an error.

    Files that an interrupted call with the same marker wrote are still in it; those of another
    marker are cleared away.

    Args:
        out: The folder to make; it may exist if it is empty.
        marker: JSON-ready; everything that decides the files.

    Yields:
        The folder, or None when `out` is there already with this marker.

    Raises:
        DataError: Something else is at `out`, or beside it where this one would write.
        RunBusyError: Another process fills the same folder.
        DiskFullError: No space was left; a second call goes on.
    """
    partial = out.with_name(f".{out.name}.partial")
    lock = out.with_name(f".{out.name}.lock")
    with only_one(lock), no_space_named(out):
        if _reads(out) == marker:
            say(f"reconstruct: done before with the same inputs, nothing to do ({out})")
            yield None
            lock.unlink()
            return
        _refuse_full(out)
        _begin(partial, marker)
        yield partial
        for left in list(partial.rglob("*.tmp")):
            left.unlink()
        if out.exists():
            out.rmdir()
        partial.rename(out)
        lock.unlink()


def write_jpeg(path: Path, image: Image.Image, quality: int = QUALITY) -> None:
    """Write an image whole or not at all.

    Without waiting for the disk, which would take longer than making the image: `is_whole`
    finds what a power cut took, and `filled_folder` names nothing finished before its end.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        image.save(temporary, "JPEG", quality=quality)
        take_place(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def is_whole(path: Path) -> bool:
    """Whether a JPEG file is there to its last byte."""
    try:
        with path.open("rb") as file:
            file.seek(-len(_END_OF_JPEG), os.SEEK_END)
            return file.read() == _END_OF_JPEG
    except OSError:
        return False


def _begin(partial: Path, marker: Mapping[str, Any]) -> None:
    before = _reads(partial)
    if before == marker:
        say(f"reconstruct: going on in {partial}")
        return
    if before is None and partial.exists() and any(_strangers(partial)):
        raise DataError(
            seen=f"{next(_strangers(partial))} in a folder that this command did not make",
            expected=f"no folder {partial.name}, or one with the {MARKER} of an earlier call",
            do=f"move it away: {partial}",
        )
    shutil.rmtree(partial, ignore_errors=True)
    write_json(partial / MARKER, marker)


def _strangers(partial: Path) -> Iterator[Path]:
    return (p for p in sorted(partial.iterdir()) if not p.name.endswith(".tmp"))


def _refuse_full(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(
            seen=f"{out} is there already and not empty, and not made from these inputs",
            expected="a folder that does not exist yet, or an empty one",
            do=f"name another folder, or remove this one: rm -r {out}",
        )


def _reads(folder: Path) -> object:
    try:
        return json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
