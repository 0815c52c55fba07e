"""What is to be drawn and into which files, in each of the published layouts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, get_args

from harness.base.errors import UnknownNameError
from harness.spec.modality import MODALITIES, Modality
from reid_datasets.idfolders import SUBFOLDERS

Scale = Literal["small", "full"]
Names = Mapping[str, list[str]]
"""File names for each split folder."""

VEHICLE_NOTE = (
    "the pictures show drawn people where the real set shows vehicles; this exercises its loader, "
    "its names and its protocol, and says nothing about vehicles"
)


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


def of_scale(scale: str, full: Callable[[], Names], small: Callable[[], Names]) -> Names:
    """The names of the scale asked for.

    Raises:
        UnknownNameError: Neither small nor full.
    """
    if scale not in get_args(Scale):
        raise UnknownNameError("scale", scale, get_args(Scale))
    return full() if scale == "full" else small()
