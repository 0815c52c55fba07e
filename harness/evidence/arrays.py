"""The npz files of a run, held against their headers before any array is made of them."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple

from harness.base.errors import BundleError
from harness.evidence.container import damaged, stored_zip

# What NumPy writes before an array's bytes, in version 1 of its format. Its own reader takes any
# literal of Python there, and fails in many ways on what is none; this is no language.
_COUNT = rb"(?:0|[1-9]\d{0,18})"
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(?P<length>[\s\S]{2})"
    rb"\{'descr': '[<|](?P<kind>[a-zA-Z])(?P<size>\d{1,6})', 'fortran_order': (?:True|False), "
    rb"'shape': \((?P<shape>%(n)s,|%(n)s(?:, %(n)s)+)\), \} *\n" % {b"n": _COUNT}
)
_HEADER_BYTES = 1024
_SIZES = {"f": (2, 4, 8), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "U": range(1, 513)}
_LETTER_BYTES = 4
_CHUNK = 1 << 20


class Form(NamedTuple):
    """What an array may be: dtype kinds as NumPy's letters, and dimensions."""

    kinds: str
    dimensions: int


_SIDE = {
    "features": Form("f", 2),
    "names": Form("U", 1),
    "pids": Form("i", 1),
    "camids": Form("i", 1),
    "scenes": Form("i", 1),
}
FEATURES = {p + name: form for p in ("", "query_", "gallery_") for name, form in _SIDE.items()}
RANKS = {
    "rank_lists": Form("i", 2),
    "per_query_ap": Form("f", 1),
    "per_query_inp": Form("f", 1),
    "first_rank": Form("i", 1),
}


def shapes(path: Path, forms: Mapping[str, Form]) -> dict[str, tuple[int, ...]]:
    """The shape of every array of an npz file, once it is sure that they can be loaded.

    A header can claim any shape and NumPy makes room for it first, so each claim is held against
    the bytes that are there. Only the arrays of `forms` are accepted, of real numbers or text.

    Raises:
        BundleError: A damaged or compressed file, an unknown array, or a header that lies.
    """
    with stored_zip(path, most_entries=len(forms)) as container:
        found = {}
        for name, entry in container.entries.items():
            key = name.removesuffix(".npy")
            if key not in forms or name == key:
                raise _refused(path, name, "is no array of this file", ", ".join(forms))
            with container.file.open(entry) as file:
                found[key] = _shape(path, key, forms[key], file, entry)
                _read_through(file)
        return found


def _shape(
    path: Path, key: str, form: Form, file: IO[bytes], entry: zipfile.ZipInfo
) -> tuple[int, ...]:
    found = _HEADER.match(file.read(_HEADER_BYTES))
    if found is None:
        raise damaged(path, f"the header of {key} is none that NumPy writes")
    shape = tuple(int(n) for n in found["shape"].replace(b" ", b"").split(b",") if n)
    kind, size = found["kind"].decode(), int(found["size"])
    real = form.kinds if form.kinds != "i" else "iu"
    if kind not in real or size not in _SIZES[kind]:
        raise _refused(path, key, f"has the type {kind}{size}", f"a type of kind {real!r}")
    if len(shape) != form.dimensions:
        raise _refused(path, key, f"has the shape {shape}", f"{form.dimensions} dimensions")
    claimed = math.prod(shape) * size * (_LETTER_BYTES if kind == "U" else 1)
    there = entry.file_size - found.end()
    if claimed != there or int.from_bytes(found["length"], "little") != found.end() - 10:
        raise _refused(path, key, f"claims {claimed:,} bytes of numbers", f"the {there:,} it has")
    return shape


def _read_through(file: IO[bytes]) -> None:
    """To the end, where the zip file's own checksum is compared."""
    while file.read(_CHUNK):
        pass


def _refused(path: Path, key: str, seen: str, expected: str) -> BundleError:
    return BundleError(
        seen=f"{path.name}: {key[:80]!r} {seen}",
        expected=expected,
        do="keep the file as harness run wrote it",
    )
