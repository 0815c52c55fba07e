"""MSVR310 (Zheng et al., Information Fusion 2023): vehicles, a folder for each identity."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from harness.base.progress import Advance
from harness.spec.dataset import Card, Scan, Split
from reid_datasets.drawings import VEHICLE_NOTE, Drawing, Names, in_id_folder, of_scale
from reid_datasets.idfolders import is_id_folders, scan_id_folders
from reid_datasets.lists import first_of, in_several, msvr310_names
from reid_datasets.synthesize import write_set


class MSVR310:
    """`bounding_box_train`, `bounding_box_test`, and `query3`, which may be absent."""

    def __init__(self, root: Path, card: Card) -> None:
        self.root = root
        self.card = card
        self.described_by: tuple[Path, ...] = ()

    @staticmethod
    def recognises(root: Path, card: Card) -> bool:
        """Whether train and test hold identities' folders; the query folder may be absent."""
        return all(is_id_folders(root / card.folders[s]) for s in ("train", "gallery"))

    def scan(self, split: Split) -> Scan:
        """The triplets of a split; without their folder, the queries follow from the gallery."""
        folder = self.root / self.card.folders[split]
        if split == "query" and not folder.is_dir():
            return self._derived(folder)
        return scan_id_folders(folder, self.card)

    def _derived(self, folder: Path) -> Scan:
        gallery = self.scan("gallery")
        scenes: dict[int, set[int | None]] = defaultdict(set)
        for sample in gallery.samples:
            scenes[sample.pid].add(sample.scene)
        samples = tuple(s for s in gallery.samples if len(scenes[s.pid]) > 1)
        note = (
            f"there is no folder {folder}: the {len(samples)} queries are the test images of the "
            "identities seen in two scenes or more, which is what the published folder holds"
        )
        # What is wrong with the gallery is said there.
        return Scan(samples, (), (note,))

    @staticmethod
    def synthetic_count(scale: str) -> int:
        """How many triplets `synthesize` draws."""
        return sum(map(len, _names(scale).values()))

    @staticmethod
    def synthesize(out: Path, seed: int, scale: str, advance: Advance) -> None:
        """Draw a set in the published layout; at full scale, with the released names."""
        names = _names(scale)
        drawings = [_drawing(folder, n) for folder, listed in names.items() for n in listed]
        counts = {folder: len(listed) for folder, listed in names.items()}
        about = {"name": "msvr310", "note": VEHICLE_NOTE}
        write_set(out, drawings, counts, seed, (128, 256), about, advance)


def _drawing(folder: str, name: str) -> Drawing:
    pid, scene, view, index = int(name[:4]), int(name[6:9]), int(name[11]), int(name[13:16])
    return in_id_folder(folder, name, pid, view, 1000 * scene + index)


def _names(scale: str) -> Names:
    return of_scale(scale, msvr310_names, _small)


def _small() -> Names:
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
