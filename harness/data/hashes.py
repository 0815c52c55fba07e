"""The two hashes of a data set: of its list of names, and of its bytes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.files import cache_folder, write_text
from harness.hashing import digest, file_digest
from harness.progress import progress


def file_list_hash(names: Iterable[str]) -> str:
    """SHA-256 over the sorted, newline-ended lines "folder/name" of every sample.

    The modality folder is not part of a line: a published list names each triplet once.
    """
    return hashlib.sha256("".join(f"{n}\n" for n in sorted(set(names))).encode()).hexdigest()


def content_hash(root: Path, files: Iterable[Path]) -> str:
    """SHA-256 over the relative names and the bytes of all files.

    Digests are remembered by size and modification time, so that only the first look at a data
    set reads all of it.
    """
    paths = sorted(set(files))
    memory = cache_folder() / "digests" / f"{digest(str(root.resolve()))[:16]}.json"
    known = _remembered(memory)
    stats = {p: p.stat() for p in paths}
    marks = {p: [s.st_size, s.st_mtime_ns] for p, s in stats.items()}
    rows = {p: known.get(_relative(p, root)) for p in paths}
    fresh = [p for p in paths if rows[p] is None or rows[p][:2] != marks[p]]  # type: ignore[index]
    if fresh:
        with (
            progress("reading the files once for their hash", len(fresh)) as advance,
            ThreadPoolExecutor(os.cpu_count()) as pool,
        ):
            for path, value in zip(fresh, pool.map(file_digest, fresh), strict=True):
                rows[path] = [*marks[path], value]
                advance(1)
        write_text(memory, json.dumps({_relative(p, root): row for p, row in rows.items()}))
    return digest([[_relative(p, root), row[2]] for p, row in rows.items() if row])


def _remembered(memory: Path) -> dict[str, list[int | str]]:
    try:
        found = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
