"""Captions of images: a file beside a data set, or what its loader says by itself."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from harness.base.errors import DataError
from harness.base.files import write_text
from harness.base.hashing import digest, json_text
from harness.spec.modality import MODALITIES, Modality

FILES = ("captions.json", "captions.csv")
"""What the file beside a data set may be called."""
_FORM = (
    'a list of {"image": NAME, "modality": "RGB", "text": "..."}, or a CSV file with the columns '
    "image, modality and text"
)
_COLUMNS = ("image", "modality", "text")
# The published files of IDEA have a modality each, which their names end in.
_PUBLISHED = ("item", "description")
_OF_MODALITY = re.compile(rf"(?:^|_)({'|'.join(MODALITIES)})$")


class Caption(NamedTuple):
    """What is said of one image."""

    image: str
    """The sample's name, which is the file's."""
    modality: Modality
    text: str
    """Without blanks around it; empty where a file has the image and says nothing."""


class Captions:
    """All captions of a data set.

    Args:
        rows: One for each image.
        source: Where they are from: the file's name, or who made them.
    """

    def __init__(self, rows: Iterable[Caption], source: str) -> None:
        self.source = source
        self.texts: dict[tuple[str, Modality], str] = {(r.image, r.modality): r.text for r in rows}

    def of(self, image: str, modality: Modality) -> str:
        """The caption of an image, empty where there is none."""
        return self.texts.get((image, modality), "")

    @cached_property
    def hash(self) -> str:
        """SHA-256 over everything that is said of any image."""
        return digest(sorted([*key, text] for key, text in self.texts.items() if text))


def find_captions(root: Path) -> Path | None:
    """The file of captions of a data set, in its folder or the one around it, or None.

    Raises:
        DataError: Two of them.
    """
    # A loader may work in a folder inside the one that was named.
    for folder in (root, root.parent):
        found = [folder / name for name in FILES if (folder / name).is_file()]
        if len(found) > 1:
            raise DataError(
                seen=f"{folder} has {' and '.join(path.name for path in found)}",
                expected="one file of captions",
                do="move one of them away",
            )
        if found:
            return found[0]
    return None


def read_captions(path: Path) -> Captions:
    """The captions of a file; its form is said in docs/datasets.md.

    Raises:
        DataError: It cannot be read, is of no known form, or says two things of one image.
    """
    rows = [_caption(path, number, row) for number, row in enumerate(_rows(path), 1)]
    return Captions(joined(rows, path.name), path.name)


def write_captions(path: Path, rows: Iterable[Caption]) -> None:
    """Write a JSON file with a line for each image, which people can read and compare.

    Raises:
        DiskFullError: No space was left.
    """
    lines = ",\n".join(json_text(row._asdict()) for row in sorted(rows))
    write_text(path, f"[\n{lines}\n]\n")


def joined(rows: Sequence[Caption], source: str) -> list[Caption]:
    """The rows, each image once.

    Raises:
        DataError: Two different captions of one image.
    """
    found: dict[tuple[str, Modality], Caption] = {}
    for row in rows:
        before = found.setdefault((row.image, row.modality), row)
        if before.text != row.text:
            raise DataError(
                seen=f"{source} says two things of {row.image} in {row.modality}: "
                f"{_short(before.text)} and {_short(row.text)}",
                expected="one caption for each image",
                do="leave one of them out",
            )
    return list(found.values())


def _rows(path: Path) -> list[Mapping[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".csv":
            return list(csv.DictReader(text.splitlines(keepends=True), strict=True))
        rows = json.loads(text)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, csv.Error, RecursionError) as error:
        raise _unreadable(path, str(error).splitlines()[0]) from error
    if not isinstance(rows, list):
        raise _unreadable(path, f"it holds a {type(rows).__name__}")
    return rows


def _caption(path: Path, number: int, row: Mapping[str, Any]) -> Caption:
    found = row if isinstance(row, Mapping) else {}
    if all(key in found for key in _PUBLISHED):
        of = _OF_MODALITY.search(path.stem)
        values = [found["item"], of[1] if of else "", found["description"]]
        where = "; of rows with item and description the file's name ends in _RGB, _NI or _TI"
    else:
        values, where = [found.get(key) for key in _COLUMNS], ""
    image, modality, text = values
    if not (isinstance(image, str) and image and isinstance(text, str) and modality in MODALITIES):
        raise _unreadable(path, f"its row {number} is {_short(json.dumps(row))}", where)
    return Caption(image, modality, " ".join(text.split()))


def _unreadable(path: Path, why: str, more: str = "") -> DataError:
    return DataError(
        seen=f"{path} cannot be read as captions: {why}",
        expected=_FORM + f", in UTF-8, with the modalities {', '.join(MODALITIES)}" + more,
        do="mend the file, or move it away; docs/datasets.md shows one",
    )


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
