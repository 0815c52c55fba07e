"""`harness data captions`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.base.errors import DataError, HarnessError
from harness.cli.output import emit
from harness.data.captioned import Coverage, coverage
from harness.data.captions import (
    FILES,
    Caption,
    find_captions,
    joined,
    read_captions,
    write_captions,
)
from harness.data.open import open_dataset
from harness.data.opened import OpenDataset
from harness.spec.dataset import SPLITS
from harness.spec.plugins import load_plugins

_SUFFIXES = (".json", ".csv")


def captions_command(
    folder: Path, sources: Sequence[Path], plugin: Sequence[Path] | None, as_json: bool
) -> None:
    """Write what the files say of the images in `folder` into one file there, and count it.

    Raises:
        DataError: A file is damaged, two say different things, or none is about these images.
        HarnessError: Other captions are there already.
    """
    data = open_dataset(str(folder), load_plugins(plugin or []))
    if hasattr(data.loader, "captions"):
        raise HarnessError(
            seen=f"{data.label} brings its own captions",
            expected="a data set without any",
            do="name the folder of another: harness data captions FOLDER --from FILE",
        )
    files = [file for source in sources for file in _files(source)]
    rows = joined([row for file in files for row in _read(file)], ", ".join(map(str, sources)))
    known = {s.name: s.paths for split in SPLITS for s in data.scans[split].samples}
    kept = [row for row in rows if row.modality in known.get(row.image, {})]
    if not kept:
        raise DataError(
            seen=f"{len(rows)} captions, of {rows[0].image[:80]!r} and the like, and none is of an "
            f"image in {folder}",
            expected=f"the names of its images, such as {min(known, default='')!r}",
            do="name the captions of this data set after --from",
        )
    path = _there_already(data, kept)
    if path is None:
        path = data.root / FILES[0]
        write_captions(path, kept)
    found = coverage(open_dataset(str(folder), load_plugins(plugin or [])))
    assert found is not None
    _report(path, found._replace(unknown=len(rows) - len(kept)), as_json)


def _files(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source]
    found = sorted(p for p in source.iterdir() if p.suffix.lower() in _SUFFIXES)
    if not found:
        raise DataError(
            seen=f"{source} has no {' or '.join(_SUFFIXES)} file in it",
            expected="a folder of captions, such as the published text/train_RGB.json and others",
            do="name the file or the folder that holds them after --from",
        )
    return found


def _read(file: Path) -> list[Caption]:
    return [Caption(*key, text) for key, text in read_captions(file).texts.items()]


def _there_already(data: OpenDataset, rows: Sequence[Caption]) -> Path | None:
    """The file that says the same; None where there is no file.

    Raises:
        HarnessError: One says other things.
    """
    there = find_captions(data.root)
    if there is None or read_captions(there).texts == {(r.image, r.modality): r.text for r in rows}:
        return there
    raise HarnessError(
        seen=f"{there} is there already and says other things",
        expected="a data set without captions",
        do=f"move {there.name} away, or keep it and attach nothing",
    )


def _report(path: Path, found: Coverage, as_json: bool) -> None:
    if as_json:
        result: dict[str, Any] = {"file": str(path), **found._asdict()}
        emit(result)
        return
    print(f"written: {path}")
    for line in found.in_words():
        print(f"  {line}")
