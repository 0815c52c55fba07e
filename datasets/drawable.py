"""The published sets that can be drawn: the names each has, and what every name becomes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

from harness.base.errors import UnknownNameError
from harness.base.progress import Advance
from harness.spec.modality import MODALITIES, Modality
from reid_datasets.drawings import Drawing, Names, Scale, in_id_folder, in_parallel, in_strip
from reid_datasets.lists import (
    first_of,
    in_several,
    market1501_names,
    msvr310_names,
    rgbn300_names,
    rgbnt100_names,
    seen_where,
)
from reid_datasets.names import embedded_names, parse, rgbnt201_names
from reid_datasets.strips import INNER
from reid_datasets.synthesize import write_set
from reid_datasets.wmveid863 import INCOMPLETE, SHARED, wmveid863_names

_VEHICLE_NOTE = (
    "the pictures show drawn people where the real set shows vehicles; this exercises its loader, "
    "its names and its protocol, and says nothing about vehicles"
)
# Published vehicles are twice as wide as high.
_VEHICLE_SIZE = (128, 256)

_MARKET_NAME = re.compile(r"^(-1|\d{4})_c(\d)s\d_(\d{6})_")
# Distractors and junk are all of one identity by name; each is drawn as someone else.
_STRANGERS = 5000


@dataclass(frozen=True)
class Drawable:
    """How a set is drawn in its published layout (`harness.spec.dataset.Drawable`).

    Attributes:
        name: What the marker calls it.
        full: The file names with the published counts; the released ones where they are known.
        small: A few of them: about seven identities on each side.
        drawing: What a name in a split folder becomes.
        size: Height and width of one modality's picture.
        note: What else the marker says, if anything.
        more: Drawings beside those of the names, at either scale, which no split counts.
    """

    name: str
    full: Callable[[], Names]
    small: Callable[[], Names]
    drawing: Callable[[str, str], Drawing]
    size: tuple[int, int]
    note: str = ""
    more: tuple[Drawing, ...] = ()

    def count(self, scale: str) -> int:
        """How many samples `draw` draws, incomplete ones too.

        Raises:
            UnknownNameError: The scale is neither small nor full.
        """
        return sum(map(len, self._names(scale).values())) + len(self.more)

    def draw(self, out: Path, seed: int, scale: str, advance: Advance) -> None:
        """Draw the set into `out`, as `write_set` does.

        Raises:
            UnknownNameError: The scale is neither small nor full.
            DataError, DiskFullError: As `write_set`.
        """
        names = self._names(scale)
        drawings = [self.drawing(folder, n) for folder, listed in names.items() for n in listed]
        counts = {folder: len(listed) for folder, listed in names.items()}
        about = {"name": self.name} | ({"note": self.note} if self.note else {})
        write_set(out, [*drawings, *self.more], counts, seed, self.size, about, advance)

    def _names(self, scale: str) -> Names:
        if scale not in get_args(Scale):
            raise UnknownNameError("scale", scale, get_args(Scale))
        return self.full() if scale == "full" else self.small()


def _person(folder: str, name: str) -> Drawing:
    return in_parallel(folder, name, *parse(name))


def _market_person(folder: str, name: str) -> Drawing:
    match = _MARKET_NAME.match(name)
    assert match is not None, name  # every name here is made by lists.py
    pid, camera, frame = map(int, match.groups())
    if pid < 1:
        pid = _STRANGERS + frame
    return in_parallel(folder, name, pid, camera, frame)


def _few_of_market() -> Names:
    """Seven identities on each side, and among those to search distractors and junk."""
    full = market1501_names()
    gallery = first_of(full["gallery"], 7, 2, 3)
    return {
        "train": first_of(full["train"], 7, 2, 3),
        "query": seen_where(full["query"], gallery),
        "gallery": [
            *gallery,
            *full["gallery"][-4:],
            *(f"-1_c{camera}s1_{9000 + camera:06d}_01.jpg" for camera in (1, 2)),
        ],
    }


def _strips(name: str, full: Callable[[], Names], modalities: tuple[Modality, ...]) -> Drawable:
    return Drawable(
        name,
        full,
        lambda: _few_strips(full()),
        partial(_strip, modalities),
        _VEHICLE_SIZE,
        _VEHICLE_NOTE,
    )


def _strip(modalities: tuple[Modality, ...], folder: str, name: str) -> Drawing:
    pid, camera, frame = int(name[:4]), int(name[6:10]), int(name[11:14])
    return in_strip(f"{INNER[0]}/{folder}", name, modalities, pid, camera, frame)


def _few_strips(names: Names) -> Names:
    """Seven identities on each side, two cameras each, three frames; a query for each camera."""
    gallery = first_of(names["bounding_box_test"], 7, 2, 3)
    return {
        "bounding_box_train": first_of(names["bounding_box_train"], 7, 2, 3),
        "query": sorted(set(names["query"]) & set(gallery)),
        "bounding_box_test": gallery,
    }


def _msvr310_vehicle(folder: str, name: str) -> Drawing:
    pid, scene, view, index = int(name[:4]), int(name[6:9]), int(name[11]), int(name[13:16])
    return in_id_folder(folder, name, pid, view, 1000 * scene + index)


def _few_of_msvr310() -> Names:
    """Seven identities to train on; six in two scenes and two in one to search."""
    full = msvr310_names()
    test = full["bounding_box_test"]
    several = set(full["query3"])
    gallery = first_of(full["query3"], 6, 2, 3)
    gallery += first_of([n for n in test if n not in several], 2, 1, 3)
    return {
        "bounding_box_train": first_of(full["bounding_box_train"], 7, 2, 3),
        "query3": in_several(gallery),
        "bounding_box_test": gallery,
    }


def _wmveid863_vehicle(folder: str, name: str) -> Drawing:
    view = int(name[name.index("_v", 4) + 2]) if "_vis_" not in name else 1
    return in_id_folder(folder, name, int(name[:4]), view, int(name[-7:-4].strip("_")))


def _wmveid863_part(folder: str, name: str, there: tuple[Modality, ...]) -> Drawing:
    whole = _wmveid863_vehicle(folder, name)
    return whole._replace(files={f: m for f, m in whole.files.items() if m[0] in there})


def _few_of_wmveid863() -> Names:
    """Seven identities to train on; six seen from two views and one from one to search.

    None is in train and in test, as seven of the published set are.
    """
    full = wmveid863_names()
    train, test = ([n for n in full[f] if int(n[:4]) not in SHARED] for f in ("train", "test"))
    several = in_several(test)
    gallery = first_of(several, 6, 2, 2)
    gallery += first_of([n for n in test if n not in set(several)], 1, 1, 2)
    return {
        "train": first_of(train, 7, 3, 2),
        "query": first_of(in_several(gallery), 6, 2, 1),
        "test": gallery,
    }


RGBNT201 = Drawable(
    "rgbnt201", rgbnt201_names, lambda: embedded_names(8, 2, 3, 2), _person, (256, 128)
)
MARKET1501_MM = Drawable(
    "market1501-mm", market1501_names, _few_of_market, _market_person, (128, 64)
)
RGBNT100 = _strips("rgbnt100", rgbnt100_names, MODALITIES)
RGBN300 = _strips("rgbn300", rgbn300_names, ("RGB", "NI"))
MSVR310 = Drawable(
    "msvr310", msvr310_names, _few_of_msvr310, _msvr310_vehicle, _VEHICLE_SIZE, _VEHICLE_NOTE
)
WMVEID863 = Drawable(
    "wmveid863",
    wmveid863_names,
    _few_of_wmveid863,
    _wmveid863_vehicle,
    _VEHICLE_SIZE,
    _VEHICLE_NOTE,
    tuple(
        _wmveid863_part(folder, name, there)
        for folder, lacking in INCOMPLETE.items()
        for name, there in lacking.items()
    ),
)
