"""The npz files of a run, held against their headers before any array is made of them."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from harness.errors import BundleError
from harness.untrusted.container import damaged, stored_zip

# NumPy's header is a short text; a longer one is an attack on the parser.
_HEADER_BYTES = 4096
_NAME_LETTERS = 512


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
        return found


def _shape(
    path: Path, key: str, form: Form, file: IO[bytes], entry: zipfile.ZipInfo
) -> tuple[int, ...]:
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise _refused(path, key, f"has the header version {version}", "version 1 or 2")
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    try:
        shape, _, dtype = read(file, max_header_size=_HEADER_BYTES)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise damaged(path, f"the header of {key} is none of NumPy's") from error
    real = form.kinds if form.kinds != "i" else "iu"
    if dtype.hasobject or dtype.names or dtype.kind not in real or not dtype.isnative:
        raise _refused(path, key, f"has the type {str(dtype)[:40]}", f"a dtype of kind {real!r}")
    if dtype.kind == "U" and dtype.itemsize > 4 * _NAME_LETTERS:
        raise _refused(path, key, f"has texts of {dtype.itemsize // 4} letters", "at most 512")
    if len(shape) != form.dimensions or any(n < 0 for n in shape):
        raise _refused(path, key, f"has the shape {shape}", f"{form.dimensions} dimensions")
    claimed = math.prod(shape) * dtype.itemsize
    there = entry.file_size - file.tell()
    if claimed != there:
        raise _refused(path, key, f"claims {claimed:,} bytes of numbers", f"the {there:,} it has")
    return tuple(int(n) for n in shape)


def _refused(path: Path, key: str, seen: str, expected: str) -> BundleError:
    return BundleError(
        seen=f"{path.name}: {key[:80]!r} {seen}",
        expected=expected,
        do="keep the file as harness run wrote it",
    )
