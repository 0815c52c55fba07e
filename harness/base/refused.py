"""What network and cluster file systems refuse, and how work goes on there without it."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
from pathlib import Path
from typing import IO

from harness.base.progress import say

# A full or broken disk is no missing feature.
_REAL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
_said: set[str] = set()


def tell_once(what: str, text: str) -> None:
    """Tell a person about a file system or a machine, once however often it comes up."""
    if what not in _said:
        _said.add(what)
        say(text)


def hold(file: IO[str] | int, path: Path, wait: bool = False) -> None:
    """Lock an open file until it is closed; where no locks are known, go on and say so.

    Args:
        file: The open file, or its descriptor.
        path: Of it, for words.
        wait: For others to let go of it.

    Raises:
        BlockingIOError: Another process holds it, and this one does not wait.
    """
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        _going_on(
            "locks", path, error, "two processes that do the same here would not see each other"
        )


def knows_locks(folder: Path) -> bool:
    """Whether SQLite can lock its files in a folder; yes where nothing can be written."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOENT, *_REAL):
            return True
        _going_on(
            "locks of files", folder, error, "let only one process at a time write to its store"
        )
        return False
    return True


def allow(path: Path, mode: int) -> None:
    """Set the rights of a file, where a file system keeps them."""
    try:
        path.chmod(mode)
    except OSError as error:
        if error.errno in _REAL:
            raise
        _going_on("chmod", path, error, "files have the rights that it gives them")


def flush(file: IO[bytes]) -> None:
    """Have a file written to the disk, where a file system can be asked to."""
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno in _REAL:
            raise
        _going_on("fsync", Path(str(file.name)), error, "a power cut may take what was written")


def take_place(temporary: Path, path: Path) -> None:
    """Rename a file over another one; where that is refused, the other goes aside first."""
    try:
        temporary.replace(path)
    except OSError as error:
        if error.errno in _REAL or not path.is_file():
            raise
        aside = path.with_name(f".{path.name}.{os.getpid()}.old")
        path.rename(aside)
        try:
            temporary.rename(path)
        except BaseException:
            aside.rename(path)
            raise
        with contextlib.suppress(OSError):
            aside.unlink()
        _going_on("rename over a file", path, error, "what is replaced is gone for a moment")


def _going_on(what: str, path: Path, error: OSError, so: str) -> None:
    why = error.strerror or str(error)
    tell_once(what, f"the file system of {path.parent} refuses {what} ({why}): {so}")
