"""What is to be drawn and into which files, in each of the published layouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from harness.spec.modality import MODALITIES, Modality
from reid_datasets.idfolders import SUBFOLDERS

Scale = Literal["small", "full"]
Names = Mapping[str, list[str]]
"""File names for each split folder."""


class Drawing(NamedTuple):
    """One moment of one figure, and the files it becomes."""

    pid: int
    """The number the figure is drawn from, from 0."""
    camid: int
    moment: int
    """The number of the picture among those of this figure and camera."""
    files: Mapping[str, tuple[Modality, ...]]
    """Path under the set's root: the modalities in that file, side by side."""


def in_parallel(folder: str, name: str, pid: int, camid: int, index: int) -> Drawing:
    """One file for each modality, in folders called as the modalities are."""
    return Drawing(pid, camid, index, {f"{folder}/{m}/{name}": (m,) for m in MODALITIES})


def in_strip(
    folder: str, name: str, modalities: tuple[Modality, ...], pid: int, camid: int, index: int
) -> Drawing:
    """One file for all modalities, side by side."""
    return Drawing(pid, camid, index, {f"{folder}/{name}": modalities})


def in_id_folder(folder: str, name: str, pid: int, camid: int, index: int) -> Drawing:
    """One file for each modality, in the identity's vis, ni and th."""
    files = {f"{folder}/{pid:04d}/{sub}/{name}": (m,) for m, sub in SUBFOLDERS.items()}
    return Drawing(pid, camid, index, dict(files))
