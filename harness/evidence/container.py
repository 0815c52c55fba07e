"""Zip files from strangers: read without trusting one number that they say of themselves."""

from __future__ import annotations

import contextlib
import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from harness.base.errors import BundleError

# The end record of a zip file without a comment: signature, four disk fields, size and place of
# the directory, length of the comment.
_END = struct.Struct("<4s4H2LH")
_ENCRYPTED = 0x1
_DIRECTORY_BYTES = 1 << 16
_CHUNK = 1 << 20


class Container(NamedTuple):
    """A zip file whose directory was checked."""

    file: zipfile.ZipFile
    entries: dict[str, zipfile.ZipInfo]


@contextlib.contextmanager
def stored_zip(path: Path, most_entries: int) -> Iterator[Container]:
    """Open a zip file in which nothing is compressed, so that nothing can expand.

    Checked before any content is read: the number of entries and the size of the directory, so
    that memory is bounded; that every entry is a plain file, stored, not encrypted and named once;
    that all of them together fit into the file, so that none is read twice under two names.

    Raises:
        BundleError: Anything of this does not hold, or the content is damaged while it is read.
    """
    _require_small_directory(path, most_entries)
    try:
        with zipfile.ZipFile(path) as file:
            entries = _plain(file.infolist(), path)
            yield Container(file, entries)
    except (zipfile.BadZipFile, EOFError, ValueError, OverflowError, struct.error) as error:
        raise damaged(path, str(error) or type(error).__name__) from error
    except (NotImplementedError, RuntimeError) as error:
        # zipfile's words for versions and flags it does not read.
        raise damaged(path, str(error)) from error


def copy_out(container: Container, name: str, out: IO[bytes], most_bytes: int) -> None:
    """Write an entry's bytes to an open file, and stop where it holds more than may be.

    Raises:
        BundleError: It is larger than `most_bytes`; nothing beyond them was written.
    """
    entry, written = container.entries[name], 0
    if entry.file_size > most_bytes:
        raise too_large(name, entry.file_size, most_bytes)
    with container.file.open(entry) as source:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > most_bytes:
                raise too_large(name, written, most_bytes)
            out.write(chunk)


def damaged(path: Path, why: str) -> BundleError:
    """The error for a file that is no zip file of ours."""
    return BundleError(
        seen=f"{path.name} cannot be read: {why.splitlines()[0][:200]}",
        expected="a zip file with stored, not compressed, files, as harness submit writes it",
        do="make it again: harness submit RUN",
    )


def too_large(name: str, size: int, most: int) -> BundleError:
    """The error for an entry or a bundle beyond its limit."""
    return BundleError(
        seen=f"{name[:80]!r} holds {size:,} bytes",
        expected=f"at most {most:,}",
        do="leave the weights out, or verify the run's own folder instead: harness verify FOLDER",
    )


def _require_small_directory(path: Path, most_entries: int) -> None:
    size = path.stat().st_size
    if size < _END.size:
        raise damaged(path, f"it has {size} bytes, too few for a zip file")
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(size - _END.size)
        mark, disk, first, here, count, length, place, comment = _END.unpack(file.read(_END.size))
    if start != b"PK\x03\x04" or mark != b"PK\x05\x06" or comment:
        raise damaged(path, "it does not begin and end as a zip file without a comment")
    if disk or first or here != count or count > most_entries or length > _DIRECTORY_BYTES:
        raise damaged(
            path, f"its directory names {count} entries in {length} bytes, at most {most_entries}"
        )
    if place + length + _END.size != size:
        raise damaged(path, "there are bytes that belong to no entry")


def _plain(infos: list[zipfile.ZipInfo], path: Path) -> dict[str, zipfile.ZipInfo]:
    entries: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        why = _not_plain(info)
        if info.filename in entries:
            why = "is there twice"
        if why:
            raise damaged(path, f"{info.filename[:80]!r} {why}")
        entries[info.filename] = info
    total = sum(info.file_size for info in entries.values())
    if total > path.stat().st_size:
        raise damaged(path, f"its entries claim {total:,} bytes, more than the file has")
    return entries


def _not_plain(info: zipfile.ZipInfo) -> str:
    # The high half is what the file was on a Unix disk; 0 where the maker said nothing.
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or info.is_dir():
        return "is no plain file but a folder, a link or a device"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        return "is compressed"
    return ""
