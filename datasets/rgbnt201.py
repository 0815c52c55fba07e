"""RGBNT201 (Zheng et al., AAAI 2021) in its published layout."""

from __future__ import annotations

from pathlib import Path

from harness.dataset import Card, Scan, Split
from harness.progress import Advance
from reid_datasets.names import rgbnt201_names
from reid_datasets.parallel import is_parallel, scan_parallel
from reid_datasets.synthesize import write_parallel


class RGBNT201:
    """`train_171` and `test`, each with RGB, NI and TI; query and gallery are the same list."""

    def __init__(self, root: Path, card: Card) -> None:
        self.root = root
        self.card = card

    @staticmethod
    def recognises(root: Path, card: Card) -> bool:
        """Whether both split folders are there with a modality folder in each."""
        return is_parallel(root, card)

    def scan(self, split: Split) -> Scan:
        """The triplets of a split, paired by file name."""
        return scan_parallel(self.root, self.card, split)

    @staticmethod
    def synthetic_count() -> int:
        """How many triplets `synthesize` draws."""
        return sum(map(len, rgbnt201_names().values()))

    @staticmethod
    def synthesize(out: Path, seed: int, advance: Advance) -> None:
        """Draw a set with the real one's names, so its identities, cameras and counts."""
        write_parallel(out, rgbnt201_names(), seed, name="rgbnt201", progress=advance)
