"""RGBN300 (Li et al., AAAI 2020): vehicles, one 512x128 strip for each pair of RGB and NI."""

from __future__ import annotations

from pathlib import Path

from harness.base.progress import Advance
from harness.spec.dataset import Card, Scan, Split
from harness.spec.modality import Modality
from reid_datasets.drawings import Names, of_scale
from reid_datasets.lists import rgbn300_names
from reid_datasets.strips import is_strip_set, scan_strips, small_strips, strip_root, write_strips

_PAIR: tuple[Modality, ...] = ("RGB", "NI")


class RGBN300:
    """The folders of RGBNT100, with strips of two."""

    def __init__(self, root: Path, card: Card) -> None:
        self.root = strip_root(root)
        self.card = card
        self.described_by: tuple[Path, ...] = ()

    @staticmethod
    def recognises(root: Path, card: Card) -> bool:
        """Whether the three folders are there, with strips of two."""
        return is_strip_set(root, card)

    def scan(self, split: Split) -> Scan:
        """The strips of a split."""
        return scan_strips(self.root, self.card, split)

    @staticmethod
    def synthetic_count(scale: str) -> int:
        """How many pairs `synthesize` draws."""
        return sum(map(len, _names(scale).values()))

    @staticmethod
    def synthesize(out: Path, seed: int, scale: str, advance: Advance) -> None:
        """Draw a set in the published layout; at full scale, with the published counts."""
        write_strips(out, _names(scale), _PAIR, seed, "rgbn300", advance)


def _names(scale: str) -> Names:
    return of_scale(scale, rgbn300_names, lambda: small_strips(rgbn300_names()))
