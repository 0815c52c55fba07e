"""Writing so that nothing is ever left half: a temporary name, then a rename."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from harness.base.errors import DiskFullError
from harness.base.hashing import json_text
from harness.base.refused import allow, flush, take_place, tell_once

STORE_VARIABLE = "HARNESS_STORE"
"""The environment variable with the URL of a store that is not in the --out folder."""

# Where torch, the hub of weights and matplotlib look for what is theirs.
_LIBRARIES = {"TORCH_HOME": "torch", "HF_HOME": "huggingface", "MPLCONFIGDIR": "matplotlib"}

# EFBIG is what a file-size limit of the shell or a quota answers with.
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

# The system tells the mask only by setting it; done once, before there are threads.
_UMASK = os.umask(0o077)
os.umask(_UMASK)


def home_folder() -> Path | None:
    """The user's home, or None where there is none, as in a container under any user id."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def cache_folder() -> Path:
    """Where what can be made again is kept: $HARNESS_CACHE, or the user's cache folder.

    Where neither is named and the latter cannot be written, a folder of this user's own among the
    temporary ones, and a line says so.
    """
    named = os.environ.get("HARNESS_CACHE")
    if named:
        return Path(named)
    home = home_folder()
    base = os.environ.get("XDG_CACHE_HOME") or (home and home / ".cache")
    wanted = None if base is None else Path(base) / "mmreid-harness"
    if wanted is not None and _can_be_written(wanted):
        return wanted
    found = _temporary_cache()
    why = "there is no home folder" if wanted is None else f"{wanted} cannot be written"
    tell_once("cache", f"{why}: what can be made again is kept in {found}, or in $HARNESS_CACHE")
    return found


def house_libraries() -> None:
    """Without a home folder, have the libraries keep what they fetch and set in our cache.

    They would make a folder called `~` in the current one, or end.
    """
    if home_folder() is None:
        for variable, name in _LIBRARIES.items():
            os.environ.setdefault(variable, str(cache_folder() / name))


def _can_be_written(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        # A full disk is told as one, where something is written.
        return is_no_space(error)
    return os.access(folder, os.W_OK | os.X_OK)


@cache
def _temporary_cache() -> Path:
    """The same folder for every command of one user; never one that another user made."""
    folder = Path(tempfile.gettempdir()) / f"mmreid-harness-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    about = folder.lstat()
    if stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid():
        return folder
    return Path(tempfile.mkdtemp(prefix="mmreid-harness-"))


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an error.

    Raises:
        DiskFullError: No space was left; what was at `path` before is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with no_space_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with temporary.open("rb") as file:
                flush(file)
            # safetensors makes files that only their owner can read; a team shares its runs.
            allow(temporary, 0o666 & ~_UMASK)
            take_place(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def tidy(folder: Path) -> None:
    """Clear away what a writer left in a folder when it was killed; what it replaced comes back.

    Only for whoever holds the folder: nobody else may be writing there.
    """
    for left in folder.glob(".*.tmp"):
        left.unlink(missing_ok=True)
    for aside in folder.glob(".*.old"):
        path = folder / aside.name.removeprefix(".").rsplit(".", 2)[0]
        if path.exists():
            aside.unlink(missing_ok=True)
        else:
            aside.rename(path)


@contextlib.contextmanager
def no_space_named(path: Path) -> Iterator[None]:
    """Turn the many ways of saying "disk full" inside the block into one DiskFullError."""
    try:
        yield
    except DiskFullError:
        raise
    except Exception as error:
        if not is_no_space(error):
            raise
        raise disk_full(path) from error


def is_no_space(error: Exception) -> bool:
    """Whether an error of the system, safetensors or torch means that the disk is full."""
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return True
    # safetensors and torch report the system's words instead of an errno.
    text = str(error)
    return "No space left" in text or "os error 28" in text or "File too large" in text


def disk_full(path: Path, needed: int | None = None) -> DiskFullError:
    """The error for a full disk at `path`, with what is free and, if known, what is needed."""
    folder = path if path.is_dir() else path.parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    wanted = f"about {needed / 2**20:,.0f} MiB" if needed else "more space"
    return DiskFullError(
        # Where the disk has room, a quota or the shell's limit of a file's size said no.
        seen=f"no space left in {folder} for this user ({free / 2**20:,.0f} MiB free)",
        expected=f"{wanted} for {path.name}; nothing half-written was kept",
        do="free some space, or name another place with --out (runs) or $HARNESS_CACHE (caches)",
    )


def require_space(path: Path, needed: int) -> None:
    """Raise DiskFullError when the disk at `path` has fewer than `needed` bytes free."""
    folder = path
    while not folder.exists():
        folder = folder.parent
    if shutil.disk_usage(folder).free < needed:
        raise disk_full(path, needed)


@contextlib.contextmanager
def in_utf8(path: Path) -> Iterator[Path]:
    """A path of the same file that is UTF-8, for libraries that take no other."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        with path.open("rb") as file:
            yield Path(f"/proc/self/fd/{file.fileno()}")
    else:
        yield path


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 whole or not at all; what UTF-8 cannot say is escaped."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, readable, whole or not at all."""
    write_text(path, json_text(value, indent=2) + "\n")
