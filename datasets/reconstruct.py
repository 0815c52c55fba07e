"""Market1501-MM from Market-1501, and RGBNT201's images as lists of single modalities.

Both as the authors of IEEE (Wang et al., AAAI 2022) made theirs: facts of the paper's section on
data, the file names of the released folders.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import PIL
from PIL import Image

from harness.base.errors import CheckpointError, FileNameError, LayoutError
from harness.base.files import write_text
from harness.base.progress import progress, say
from harness.data.hashes import content_hash
from harness.data.images import read_image
from harness.data.opened import OpenDataset
from harness.data.reconstruct import (
    QUALITY,
    Reconstruction,
    Translate,
    filled_folder,
    is_whole,
    write_jpeg,
)
from harness.spec.dataset import SPLITS, Split, load_card
from harness.spec.modality import MODALITIES, Modality
from reid_datasets.info import RGBNT201
from reid_datasets.parallel import Parallel

# Raised whenever the same inputs no longer give the same pictures.
VERSION = 1

FOLDERS: dict[Split, str] = {
    "train": "bounding_box_train",
    "query": "query",
    "gallery": "bounding_box_test",
}
PUBLISHED: dict[Split, int] = {"train": 12936, "query": 3368, "gallery": 15913}
"""Images of Market-1501 without the junk, of which the test folder has 3819."""

_NAME = re.compile(r"^(?P<pid>-\d+|\d{4})_c\d+s\d+_\d{6}_\d{2}\.jpg$", re.ASCII)
_LETTERS: dict[Modality, str] = {"RGB": "R", "NI": "N", "TI": "T"}


class _Task(NamedTuple):
    split: Split
    original: Path


def grey(image: Image.Image) -> Image.Image:
    """NI: the luma (ITU-R 601, as Pillow computes it) in three equal channels."""
    luma = image.convert("L")
    return Image.merge("RGB", (luma, luma, luma))


def darkened(image: Image.Image) -> Image.Image:
    """RGB: every value at 40 %, rounded; no value lies half-way."""
    return image.point([(2 * value + 2) // 5 for value in range(256)] * 3)


def market1501(root: Path, out: Path, translate: Translate | None) -> dict[str, Any]:
    """Make `<out>/{train,query,gallery}/{RGB,NI,TI}/<name>` from Market-1501 in `root`.

    Names stay as they are, junk (identity -1) is left out, the distractors (0000) are kept. NI
    and TI are made from the original image, RGB is darkened. JPEG quality 95.

    Raises:
        LayoutError, FileNameError, UnreadableImageError: What is wrong with `root`.
        DataError: Something else is at `out`.
        DiskFullError: No space was left; a second call goes on.
    """
    if translate is None:
        raise CheckpointError(
            seen="no translator for TI",
            expected="one from RGB to TI",
            do="give one with --translator",
        )
    tasks = _market_tasks(root)
    marker = _market_marker(root, tasks, translate)
    makers: dict[Modality, Callable[[Image.Image], Image.Image]] = {
        "RGB": darkened,
        "NI": grey,
        "TI": translate,
    }
    with filled_folder(out, marker) as partial:
        if partial is not None:
            with progress("reconstructing", len(tasks), " images") as advance:
                for task in tasks:
                    _make(partial, task, makers)
                    advance(1)
    return marker


def _market_tasks(root: Path) -> list[_Task]:
    tasks: list[_Task] = []
    for split, name in FOLDERS.items():
        folder = root / name
        files = sorted(folder.glob("*.jpg")) if folder.is_dir() else []
        if not files:
            raise LayoutError(
                seen=f"{folder} " + ("holds no .jpg file" if folder.is_dir() else "is no folder"),
                expected=f"Market-1501 as published: {', '.join(FOLDERS.values())} in {root}",
                do="name the folder that holds these three, often Market-1501-v15.09.15",
            )
        for path in files:
            match = _NAME.match(path.name)
            if match is None:
                raise FileNameError(
                    seen=f"the file name {path.name} in {folder}",
                    expected=f"a name like 0002_c1s1_000451_03.jpg ({_NAME.pattern})",
                    do=f"rename or move the file away: {path}",
                )
            if int(match["pid"]) >= 0:
                tasks.append(_Task(split, path))
    return tasks


def _market_marker(root: Path, tasks: list[_Task], translate: Translate) -> dict[str, Any]:
    found = {split: sum(t.split == split for t in tasks) for split in SPLITS}
    if found != PUBLISHED:
        say(f"reconstruct: {found} images; the published Market-1501 has {PUBLISHED}")
    return {
        "made": "market1501",
        "version": VERSION,
        "quality": QUALITY,
        "pillow": PIL.__version__,
        "source_hash": content_hash(root, (t.original for t in tasks)),
        "counts": found,
        "published_counts": found == PUBLISHED,
        "translator": translate.card,
    }


def _make(
    partial: Path, task: _Task, makers: dict[Modality, Callable[[Image.Image], Image.Image]]
) -> None:
    places = {m: partial / task.split / m / task.original.name for m in MODALITIES}
    missing = [m for m, place in places.items() if not is_whole(place)]
    if not missing:
        return
    original = read_image(task.original)
    for modality in missing:
        places[modality].parent.mkdir(parents=True, exist_ok=True)
        write_jpeg(places[modality], makers[modality](original))


def rgbnt201_lists(root: Path, out: Path, translate: Translate | None) -> dict[str, Any]:
    """Write `<out>/idx/{train,test}_{R,N,T}.txt`, RGBNT201's images one modality a list.

    Lines are "path label" as in RegDB's lists: the path from the root of RGBNT201, the label
    0..n-1 by sorted identity, counted for each split apart. Line i of the three lists of a split
    is the same moment.

    Raises:
        DataError: What is wrong with `root`, or something else at `<out>/idx`.
    """
    card = load_card(RGBNT201.card)
    data = OpenDataset(card, root, Parallel(root, card))
    lists: dict[str, list[str]] = {}
    words: dict[Split, str] = {"train": "train", "gallery": "test"}
    for split, word in words.items():
        samples = data.samples(split)
        labels = {pid: i for i, pid in enumerate(sorted({s.pid for s in samples}))}
        for modality in MODALITIES:
            lists[f"{word}_{_LETTERS[modality]}.txt"] = [
                f"{s.paths[modality].relative_to(root).as_posix()} {labels[s.pid]}\n"
                for s in samples
            ]
    marker = {
        "made": "rgbnt201",
        "version": VERSION,
        "source": data.label,
        "source_hash": data.data_hash,
        "counts": {name: len(lines) for name, lines in lists.items()},
    }
    with filled_folder(out / "idx", marker) as partial:
        if partial is not None:
            for name, lines in lists.items():
                write_text(partial / name, "".join(lines))
    return marker


MARKET1501 = Reconstruction(("RGB", "TI"), market1501)
RGBNT201_LISTS = Reconstruction(None, rgbnt201_lists)
