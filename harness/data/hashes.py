"""The two hashes of a data set: of its list of names, and of its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.base.errors import UnreadableImageError
from harness.base.hashing import digest
from harness.data.contents import Content, read_contents, relative
from harness.data.forms import reading
from harness.spec.dataset import Range


def file_list_hash(names: Iterable[str]) -> str:
    """SHA-256 over the sorted, newline-ended lines "folder/name" of every sample.

    The modality folder is not part of a line: a published list names each triplet once.
    """
    lines = "".join(f"{n}\n" for n in sorted(set(names)))
    # A name is bytes on the disk, and need not be UTF-8.
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def content_hash(root: Path, files: Iterable[Path], reread: bool = False) -> str:
    """SHA-256 over the relative names and the bytes of all files, and how pictures are read.

    Only the first look at a data set reads all of it, be it this or `harness data check`; see
    `harness.data.contents`.

    Raises:
        UnreadableImageError: A file that cannot be read at all.
    """
    return hash_of(root, read_contents(root, files, reread=reread), {})


def hash_of(
    root: Path, contents: Mapping[Path, Content | None], spans: Mapping[Path, Range]
) -> str:
    """The content hash of files that were read.

    The same bytes read in another way are other data, so a file of more than 8 bits, or one that
    is turned upright, brings how it is read. Other files bring their name and bytes alone, and a
    set without such files has the hash that it had before there were rules for them.

    Args:
        root: The data set's folder.
        contents: What was read, in the order of the paths.
        spans: The range of each file that has one.

    Raises:
        UnreadableImageError: A file that cannot be read at all.
    """
    rows: list[list[object]] = []
    for path, content in contents.items():
        if content is None:
            raise UnreadableImageError(
                seen=f"{path} cannot be read",
                expected="a file that this user may read",
                do=f"see what it is with: ls -l {path}",
            )
        how = reading(content.form, spans.get(path))
        rows.append([relative(path, root), content.digest, *([how] if how else [])])
    return digest(rows)
