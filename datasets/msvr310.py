"""MSVR310 (Zheng et al., Information Fusion 2023): vehicles, a folder for each identity."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from harness.spec.dataset import Card, Scan, Split
from reid_datasets.idfolders import is_id_folders, scan_id_folders


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
