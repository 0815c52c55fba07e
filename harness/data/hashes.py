"""The two hashes of a data set: of its list of names, and of its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from harness.base.errors import UnreadableImageError
from harness.base.hashing import digest
from harness.data.contents import read_contents, relative


def file_list_hash(names: Iterable[str]) -> str:
    """SHA-256 over the sorted, newline-ended lines "folder/name" of every sample.

    The modality folder is not part of a line: a published list names each triplet once.
    """
    return hashlib.sha256("".join(f"{n}\n" for n in sorted(set(names))).encode()).hexdigest()


def content_hash(root: Path, files: Iterable[Path]) -> str:
    """SHA-256 over the relative names and the bytes of all files.

    Only the first look at a data set reads all of it, be it this or `harness data check`; see
    `harness.data.contents`.

    Raises:
        UnreadableImageError: A file that cannot be read at all.
    """
    rows = []
    for path, content in read_contents(root, files).items():
        if content is None:
            raise UnreadableImageError(
                seen=f"{path} cannot be read",
                expected="a file that this user may read",
                do=f"see what it is with: ls -l {path}",
            )
        rows.append([relative(path, root), content.digest])
    return digest(rows)
