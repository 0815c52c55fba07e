"""File names in RGBNT201's grammar: those of the released set, and those of a small one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from harness.base.errors import FileNameError

_NAME = re.compile(r"^(\d{6})_cam(\d)_(\d)_(\d{2})\.jpg$", re.ASCII)
_NAMES_FILE = Path(__file__).parent / "cards" / "rgbnt201.names.txt"


def rgbnt201_names() -> dict[str, list[str]]:
    """The file names of RGBNT201 as released: 3951 in `train_171`, 836 in `test`."""
    names: dict[str, list[str]] = {}
    for line in _NAMES_FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            folder = names.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            pid, camera, sequence, frames = line.split()
            folder += [f"{pid}_{camera}_{sequence}_{i:02d}.jpg" for i in _frames(frames)]
    return names


def embedded_names(
    identities: int = 24, cameras: int = 2, train_images: int = 4, test_images: int = 3
) -> dict[str, list[str]]:
    """File names of a small set: as many people to train on as to test on, and none in both."""
    # Both ranges begin with an odd number, so that no pair of twins is split between them.
    train, test = range(1, 1 + identities), range(501, 501 + identities)
    return {
        "train_171": _grid_of_names(train, cameras, train_images),
        "test": _grid_of_names(test, cameras, test_images),
    }


def _grid_of_names(pids: range, cameras: int, images: int) -> list[str]:
    return [
        f"{pid:06d}_cam{camera}_0_{image:02d}.jpg"
        for pid in pids
        for camera in range(1, cameras + 1)
        for image in range(images)
    ]


def _frames(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def parse(file_name: str) -> tuple[int, int, int]:
    """Identity, camera and picture number of a file name."""
    match = _NAME.match(file_name)
    if match is None:
        raise FileNameError(
            seen=f"the file name {file_name!r}",
            expected=f"a name like 000009_cam1_0_00.jpg ({_NAME.pattern})",
            do="give names from rgbnt201_names() or embedded_names(), or of the same form",
        )
    pid, camera, sequence, frame = map(int, match.groups())
    return pid, camera, 100 * sequence + frame
