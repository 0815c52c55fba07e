"""Market1501-MM (Wang et al., AAAI 2022): Market-1501 with NI and TI made from its pictures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from harness.base.progress import Advance
from harness.spec.dataset import Card, Scan, Split
from reid_datasets.drawings import Drawing, Names, in_parallel, of_scale
from reid_datasets.lists import first_of, market1501_names, seen_where
from reid_datasets.parallel import is_parallel, scan_parallel
from reid_datasets.synthesize import write_set

_NAME = re.compile(r"^(-1|\d{4})_c(\d)s\d_(\d{6})_")
# Distractors and junk are all of one identity by name; each is drawn as someone else.
_STRANGERS = 5000


class Market1501MM:
    """`train`, `query` and `gallery`, each with RGB, NI and TI."""

    reconstructions: ClassVar = {"market1501": "reid_datasets.reconstruct:MARKET1501"}

    def __init__(self, root: Path, card: Card) -> None:
        self.root = root
        self.card = card
        self.described_by: tuple[Path, ...] = ()

    @staticmethod
    def recognises(root: Path, card: Card) -> bool:
        """Whether the three split folders are there with a modality folder in each."""
        return is_parallel(root, card)

    def scan(self, split: Split) -> Scan:
        """The triplets of a split, paired by file name; junk (identity -1) is left out."""
        return scan_parallel(self.root, self.card, split)

    @staticmethod
    def synthetic_count(scale: str) -> int:
        """How many triplets `synthesize` draws."""
        return sum(map(len, _names(scale).values()))

    @staticmethod
    def synthesize(out: Path, seed: int, scale: str, advance: Advance) -> None:
        """Draw a set in the published layout; at full scale, with the published counts."""
        names = _names(scale)
        drawings = [_drawing(folder, n) for folder, listed in names.items() for n in listed]
        counts = {folder: len(listed) for folder, listed in names.items()}
        write_set(out, drawings, counts, seed, (128, 64), {"name": "market1501-mm"}, advance)


def _drawing(folder: str, name: str) -> Drawing:
    match = _NAME.match(name)
    assert match is not None, name  # every name here is made by lists.py
    pid, camera, frame = map(int, match.groups())
    if pid < 1:
        pid = _STRANGERS + frame
    return in_parallel(folder, name, pid, camera, frame)


def _names(scale: str) -> Names:
    return of_scale(scale, market1501_names, _small)


def _small() -> Names:
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
