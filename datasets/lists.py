"""File names of the sets: the released ones where they are known, else of their grammar and counts.

Every function gives the names by split folder. Where a set's list is not known, names are made up
so that identities, samples and cameras are as many as published.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_CARDS = Path(__file__).parent / "cards"
_CELL = re.compile(r"^(-?\d+)_(c\d+|s\d+|v\d)")

STRIP_FRAMES = 25
_STRIP_QUERIES = range(0, STRIP_FRAMES, 5)


def rgbnt100_names() -> dict[str, list[str]]:
    """RGBNT100 as released: 8675 and 8575; the 1715 queries are five of each 25 frames.

    Which five the released `query` has is not known here.
    """
    cells = {
        folder: [(int(pid), int(cam)) for pid, *cams in rows for cam in cams]
        for folder, rows in _rows("rgbnt100").items()
    }
    return _strip_names(cells["bounding_box_train"], cells["bounding_box_test"])


def rgbn300_names() -> dict[str, list[str]]:
    """Names with RGBN300's counts: 25,200 to train on, 4,985 queries, 24,925 to search."""
    train = _cells(range(1, 300, 2), shares(1008, 150))
    return _strip_names(train, _cells(range(2, 301, 2), shares(997, 150)))


def msvr310_names() -> dict[str, list[str]]:
    """MSVR310 as released: 1032 and 1055; `query3` is every test image of ids in several scenes."""
    names: dict[str, list[str]] = {}
    for folder, rows in _rows("msvr310").items():
        found = names.setdefault(folder, [])
        for pid, *words in rows:
            scene = ""
            for word in words:
                if word.startswith("s"):
                    scene = word
                    continue
                view, _, index = word.partition(".")
                found.append(f"{pid}_{scene}_v{view}_{int(index):03d}.jpg")
    names["query3"] = in_several(names["bounding_box_test"])
    return names


def market1501_names() -> dict[str, list[str]]:
    """Names with Market1501-MM's counts: 12,936, 3,368 and 15,913, 2,798 of these distractors."""
    train = _market(range(1, 752), shares(12936, 751), [6] * 751)
    cameras = shares(3368, 750)
    pids = range(752, 1502)
    return {
        "train": train,
        "query": _market(pids, cameras, cameras, first=500),
        "gallery": _market(pids, shares(13115, 750), cameras)
        + [f"0000_c{1 + k % 6}s1_{k:06d}_01.jpg" for k in range(2798)],
    }


def in_several(names: Iterable[str]) -> list[str]:
    """The names of those identities that were seen in more than one camera, scene or view."""
    listed = list(names)
    places: dict[str, set[str]] = defaultdict(set)
    for name in listed:
        pid, cell = _cell(name)
        places[pid].add(cell)
    return [name for name in listed if len(places[_cell(name)[0]]) > 1]


def first_of(names: Sequence[str], identities: int, cells: int, images: int) -> list[str]:
    """The first few of everything: identities, cameras (or scenes, or views) of each, images."""
    kept: dict[str, dict[str, list[str]]] = {}
    for name in names:
        pid, cell = _cell(name)
        if pid not in kept and len(kept) == identities:
            continue
        places = kept.setdefault(pid, {})
        if cell in places or len(places) < cells:
            places.setdefault(cell, []).append(name)
    return [n for places in kept.values() for found in places.values() for n in found[:images]]


def shares(total: int, parts: int) -> list[int]:
    """`total` in as many whole parts, as equal as can be, the larger ones spread evenly."""
    return [(i + 1) * total // parts - i * total // parts for i in range(parts)]


def seen_where(names: Iterable[str], like: Iterable[str]) -> list[str]:
    """Those names whose identity and camera (or scene, or view) occur in `like` as well."""
    places = {_cell(name) for name in like}
    return [name for name in names if _cell(name) in places]


def _cell(name: str) -> tuple[str, str]:
    match = _CELL.match(name)
    if match is None:
        raise ValueError(f"{name} does not begin with an identity and a camera, scene or view")
    return match[1], match[2]


def _rows(card: str) -> dict[str, list[list[str]]]:
    """The lines of a card's list of names, in words, by folder."""
    rows: dict[str, list[list[str]]] = {}
    folder: list[list[str]] = []
    for line in (_CARDS / f"{card}.names.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            folder = rows.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            folder.append(line.split())
    return rows


def _cells(pids: Iterable[int], cameras: Iterable[int]) -> list[tuple[int, int]]:
    """Each identity before its number of cameras, never the same ones for all."""
    return [
        (pid, camera)
        for pid, count in zip(pids, cameras, strict=True)
        for camera in sorted(1 + (pid + k) % 8 for k in range(count))
    ]


def _strip_names(train: list[tuple[int, int]], test: list[tuple[int, int]]) -> dict[str, list[str]]:
    every = range(STRIP_FRAMES)
    folders = {"bounding_box_train": (train, every), "query": (test, _STRIP_QUERIES)}
    folders["bounding_box_test"] = (test, every)
    return {
        folder: [f"{pid:04d}_c{cam:04d}_{frame:03d}.jpg" for pid, cam in cells for frame in frames]
        for folder, (cells, frames) in folders.items()
    }


def _market(
    pids: Iterable[int], images: Iterable[int], cameras: Iterable[int], first: int = 1000
) -> list[str]:
    return list(_market_names(zip(pids, images, cameras, strict=True), first))


def _market_names(people: Iterable[tuple[int, int, int]], first: int) -> Iterator[str]:
    for pid, images, cameras in people:
        seen = sorted(1 + (pid + k % cameras) % 6 for k in range(images))
        for k, camera in enumerate(seen):
            yield f"{pid:04d}_c{camera}s1_{first + k:06d}_01.jpg"
