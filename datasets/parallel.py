"""The layout of three parallel folders, RGB, NI and TI, with the same file name in each."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from harness.base.errors import DataError, LayoutError
from harness.spec.dataset import Card, Sample, Scan, Split
from harness.spec.modality import Modality
from reid_datasets.scanning import entries, incomplete, sample_of


class Parallel:
    """The loader of RGBNT201 (Zheng et al., AAAI 2021) and Market1501-MM (Wang et al., AAAI 2022).

    In RGBNT201, `train_171` and `test`; query and gallery are the same list. In Market1501-MM,
    which is Market-1501 with NI and TI made from its pictures, `train`, `query` and `gallery`.
    """

    reconstructions: ClassVar = {
        "market1501": "reid_datasets.reconstruct:MARKET1501",
        "rgbnt201": "reid_datasets.reconstruct:RGBNT201_LISTS",
    }

    def __init__(self, root: Path, card: Card) -> None:
        self.root = root
        self.card = card
        self.described_by: tuple[Path, ...] = ()

    @staticmethod
    def recognises(root: Path, card: Card) -> bool:
        """Whether every split's folder is there with at least one modality folder in it."""
        folders = set(card.folders.values())
        return all(any((root / f / m).is_dir() for m in card.modalities) for f in folders)

    def scan(self, split: Split) -> Scan:
        """The samples of a split, paired by file name, and all that is wrong with its folders.

        Files of the card's `junk_pids` are left out, paired or not.
        """
        folder = self.root / self.card.folders[split]
        names, problems = self._names(folder)
        # One missing folder would repeat itself as a missing file for every sample.
        whole = not problems
        samples: list[Sample] = []
        for name in sorted(names):
            paths = names[name]
            sample = sample_of(name, paths, self.card)
            if not isinstance(sample, Sample):
                problems.append(sample)
            elif sample.pid not in self.card.junk_pids:
                lacking = {m: folder / m / name for m in self.card.modalities if m not in paths}
                if whole and lacking:
                    problems.append(incomplete(name, paths, lacking))
                samples.append(sample)
        return Scan(tuple(samples), tuple(problems))

    def _names(self, folder: Path) -> tuple[dict[str, dict[Modality, Path]], list[DataError]]:
        """The files of each name by modality, and the modality folders that are not there."""
        names: dict[str, dict[Modality, Path]] = {}
        problems: list[DataError] = []
        for modality in self.card.modalities:
            found = entries(folder / modality, self.card)
            if isinstance(found, LayoutError):
                problems.append(found)
                continue
            for path in found:
                names.setdefault(path.name, {})[modality] = path
        return names, problems
