"""The layout of strips: one file holds a sample's images side by side, one folder a split."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from harness.base.errors import DataError, LayoutError
from harness.base.progress import Advance
from harness.spec.dataset import Card, Sample, Scan, Split
from harness.spec.modality import Modality
from reid_datasets.drawings import VEHICLE_NOTE, Names, in_strip
from reid_datasets.lists import first_of
from reid_datasets.scanning import entries, sample_of
from reid_datasets.synthesize import write_set

INNER = ("rgbir", "rgbirt")
"""Folders that the published archives put between the root and the splits."""

# Published images are 256x128 side by side, so a strip of n is 2n times as wide as high.
_ASPECT = 2.0
# Recognition looks at this many files before it gives up on finding one whole picture.
_LOOKS = 20


def strip_root(root: Path) -> Path:
    """The folder the splits are in: the root itself, or its one inner folder."""
    return next((root / name for name in INNER if (root / name).is_dir()), root)


def is_strip_set(root: Path, card: Card) -> bool:
    """Whether the split folders hold strips of as many images as the card has modalities.

    Two sets share the folders and the grammar, so the shape of the first whole picture decides;
    where there is none, the name of the folder.
    """
    base = strip_root(root)
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


def scan_strips(base: Path, card: Card, split: Split) -> Scan:
    """Find a split's strips; every path of a sample is the one file."""
    found = entries(base / card.folders[split], card)
    if isinstance(found, LayoutError):
        return Scan((), (found,))
    samples: list[Sample] = []
    problems: list[DataError] = []
    for path in found:
        paths = dict.fromkeys(card.modalities, path)
        sample = sample_of(path.name, paths, card, strip=card.modalities)
        if isinstance(sample, Sample):
            samples.append(sample)
        else:
            problems.append(sample)
    return Scan(tuple(samples), tuple(problems))


def small_strips(names: Names) -> Names:
    """Seven identities on each side, two cameras each, three frames; a query for each camera."""
    gallery = first_of(names["bounding_box_test"], 7, 2, 3)
    return {
        "bounding_box_train": first_of(names["bounding_box_train"], 7, 2, 3),
        "query": sorted(set(names["query"]) & set(gallery)),
        "bounding_box_test": gallery,
    }


def write_strips(
    out: Path,
    names: Names,
    modalities: tuple[Modality, ...],
    seed: int,
    name: str,
    advance: Advance,
) -> None:
    """Draw strips of the published size into the published folders."""
    drawings = [
        in_strip(f"{INNER[0]}/{folder}", n, modalities, int(n[:4]), int(n[6:10]), int(n[11:14]))
        for folder, listed in names.items()
        for n in listed
    ]
    counts = {folder: len(listed) for folder, listed in names.items()}
    about = {"name": name, "note": VEHICLE_NOTE}
    write_set(out, drawings, counts, seed, (128, 256), about, advance)


def _aspect(path: Path) -> float | None:
    """Width by height, from the file's head alone."""
    try:
        with Image.open(path) as image:
            return image.width / image.height
    except (OSError, SyntaxError, ValueError):
        return None
