"""RGBNT201 (Zheng et al., AAAI 2021) in its published layout."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from harness.base.progress import Advance
from harness.spec.dataset import Card, Scan, Split
from reid_datasets.drawings import Names, of_scale
from reid_datasets.names import embedded_names, rgbnt201_names
from reid_datasets.parallel import is_parallel, scan_parallel
from reid_datasets.synthesize import write_parallel


class RGBNT201:
    """`train_171` and `test`, each with RGB, NI and TI; query and gallery are the same list."""

    reconstructions: ClassVar = {"rgbnt201": "reid_datasets.reconstruct:RGBNT201_LISTS"}

    def __init__(self, root: Path, card: Card) -> None:
        self.root = root
        self.card = card
        self.described_by: tuple[Path, ...] = ()

    @staticmethod
    def recognises(root: Path, card: Card) -> bool:
        """Whether both split folders are there with a modality folder in each."""
        return is_parallel(root, card)

    def scan(self, split: Split) -> Scan:
        """The triplets of a split, paired by file name."""
        return scan_parallel(self.root, self.card, split)

    @staticmethod
    def synthetic_count(scale: str) -> int:
        """How many triplets `synthesize` draws."""
        return sum(map(len, _names(scale).values()))

    @staticmethod
    def synthesize(out: Path, seed: int, scale: str, advance: Advance) -> None:
        """Draw a set in the published layout; at full scale, with the released names."""
        write_parallel(out, _names(scale), seed, name="rgbnt201", progress=advance)


def _names(scale: str) -> Names:
    return of_scale(scale, rgbnt201_names, lambda: embedded_names(8, 2, 3, 2))
