"""The layout of strips: one file holds a sample's images side by side, one folder a split."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from harness.base.errors import DataError, LayoutError
from harness.spec.dataset import Card, Sample, Scan, Split
from reid_datasets.scanning import entries, sample_of

INNER = ("rgbir", "rgbirt")
"""Folders that the published archives put between the root and the splits."""

# Published images are 256x128 side by side, so a strip of n is 2n times as wide as high.
_ASPECT = 2.0
# Recognition looks at this many files before it gives up on finding one whole picture.
_LOOKS = 20


class Strips:
    """The loader of RGBNT100 and RGBN300 (Li et al., AAAI 2020).

    `bounding_box_train`, `query` and `bounding_box_test`, with or without `rgbir` above them; a
    strip is as many images wide as the card has modalities.
    """

    def __init__(self, root: Path, card: Card) -> None:
        self.root = _inner(root)
        self.card = card
        self.described_by: tuple[Path, ...] = ()

    @staticmethod
    def recognises(root: Path, card: Card) -> bool:
        """Whether the split folders hold strips of as many images as the card has modalities.

        The sets share the folders and the grammar, so the shape of the first whole picture
        decides; where there is none, the name of the folder.
        """
        base = _inner(root)
        if not all((base / f).is_dir() for f in card.folders.values()):
            return False
        files = entries(base / card.folders["train"], card)
        if isinstance(files, LayoutError):
            files = []
        for path in files[:_LOOKS]:
            aspect = _aspect(path)
            if aspect is not None:
                return abs(aspect / _ASPECT - len(card.modalities)) < 0.25
        named = {root.name, base.parent.name}
        return bool(named & set(card.roots))

    def scan(self, split: Split) -> Scan:
        """The strips of a split; every path of a sample is the one file."""
        found = entries(self.root / self.card.folders[split], self.card)
        if isinstance(found, LayoutError):
            return Scan((), (found,))
        samples: list[Sample] = []
        problems: list[DataError] = []
        modalities = self.card.modalities
        for path in found:
            paths = dict.fromkeys(modalities, path)
            sample = sample_of(path.name, paths, self.card, strip=modalities)
            if isinstance(sample, Sample):
                samples.append(sample)
            else:
                problems.append(sample)
        return Scan(tuple(samples), tuple(problems))


def _inner(root: Path) -> Path:
    """The folder the splits are in: the root itself, or its one inner folder."""
    return next((root / name for name in INNER if (root / name).is_dir()), root)


def _aspect(path: Path) -> float | None:
    """Width by height, from the file's head alone."""
    try:
        with Image.open(path) as image:
            return image.width / image.height
    except (OSError, SyntaxError, ValueError):
        return None
