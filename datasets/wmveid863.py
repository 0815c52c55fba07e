"""WMVeID863 (Zheng et al., Information Fusion 2024/25): vehicles under flare, a folder for each."""

from __future__ import annotations

from pathlib import Path

from harness.spec.dataset import Card, Scan, Split
from harness.spec.modality import Modality
from reid_datasets.idfolders import is_id_folders, scan_id_folders
from reid_datasets.lists import first_of, in_several, shares

SHARED = (325, 331, 397, 406, 451, 471, 862)
"""Identities with images in train and in test of the published set."""

INCOMPLETE: dict[str, dict[str, tuple[Modality, ...]]] = {
    "train": {"0865_0865_vis_v1_n0_03.jpg": ("RGB",), "0865_v1_n0_s999_002.jpg": ("TI",)},
    "test": {
        "0406_v1_n0_s999_004.jpg": ("NI",),
        "0476_v0_n0_s999_001.jpg": ("NI", "TI"),
        "0476_v1_n0_s999_002.jpg": ("NI", "TI"),
        "0476_v1_n0_s999_003.jpg": ("NI", "TI"),
    },
}
"""What the published set has of the names that are no whole triplet."""

_SAME_NAMES = 18
_PREFIXES = 868


class WMVeID863:
    """`train`, `query` and `test`, an identity's folder in each, with vis, ni and th inside."""

    def __init__(self, root: Path, card: Card) -> None:
        self.root = root
        self.card = card
        self.described_by: tuple[Path, ...] = ()

    @staticmethod
    def recognises(root: Path, card: Card) -> bool:
        """Whether all three split folders hold identities' folders."""
        return all(is_id_folders(root / folder) for folder in card.folders.values())

    def scan(self, split: Split) -> Scan:
        """The triplets of a split, paired by file name; never by position in a folder."""
        found = scan_id_folders(self.root / self.card.folders[split], self.card)
        if split != "gallery":
            return found
        trained = {s.name for s in scan_id_folders(self.root / "train", self.card).samples}
        both = sorted(trained & {s.name for s in found.samples})
        if not both:
            return found
        note = f"{len(both)} names are in train and in test, such as {both[0]}"
        return found._replace(notes=(*found.notes, note))


def wmveid863_names() -> dict[str, list[str]]:
    """Names of whole triplets with the published counts: 603 and 272 identities, 3481 and 1228.

    Seven identities are in both, with 18 names in common; 121 of the 272 have one view only.
    """
    alone = [p for p in range(1, _PREFIXES + 1) if p not in {*SHARED, 476, 865}]
    # 264 of these to test on, spread evenly; with 476 and the shared ones, 272.
    picks = shares(264, len(alone))
    tested = sorted([p for p, pick in zip(alone, picks, strict=True) if pick] + [476, *SHARED])
    trained = sorted({*range(1, _PREFIXES + 1)} - {*tested} | {*SHARED})
    train = _whole(trained, shares(3481, 603), [0] * 603, first=10)
    # A shared identity takes over names of several views, so it is none of those with one.
    others = dict(zip((p for p in tested if p not in SHARED), shares(121, 265), strict=True))
    test = _whole(tested, shares(1228, 272), [others.get(p, 0) for p in tested], first=100)
    # As many test names of the shared identities make way for train names of the same identity.
    for name, old in zip(_few_of_each(train), _few_of_each(test), strict=True):
        test[test.index(old)] = name
    test.sort()
    query = first_of(in_several(test), 272, 8, 1)
    return {"train": train, "query": query, "test": test}


def _few_of_each(names: list[str]) -> list[str]:
    """Eighteen names, the same number of each shared identity whichever list they come from."""
    wanted = dict(zip(SHARED, shares(_SAME_NAMES, len(SHARED)), strict=True))
    return [
        n for pid, count in wanted.items() for n in [n for n in names if int(n[:4]) == pid][:count]
    ]


def _whole(pids: list[int], images: list[int], single: list[int], first: int) -> list[str]:
    return [
        f"{pid:04d}_v{pid % 8 if alone else (pid + 3 * (k // 2)) % 8}_n{(0, 1, 9)[k % 3]}"
        f"_s999_{first + k:03d}.jpg"
        for pid, count, alone in zip(pids, images, single, strict=True)
        for k in range(count)
    ]
