"""Made-up data of the sizes that claims are about, the same for both sides of a comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

IDENTITIES, CAMERAS = 750, 6
"""Of Market-1501's test part."""


def labels(rng: np.random.Generator, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(count,) identities and cameras."""
    return rng.integers(0, IDENTITIES, count), rng.integers(0, CAMERAS, count)


def descriptors(
    rng: np.random.Generator, pids: NDArray[np.int64], width: int
) -> NDArray[np.float32]:
    """(n, width) float32 around a centre for each identity, so that ranks are neither all nor none.

    The centres do not depend on `rng`, so that query and gallery share them.
    """
    centres = np.random.default_rng(1).standard_normal((IDENTITIES, width), dtype=np.float32)
    found: NDArray[np.float32] = rng.standard_normal((len(pids), width), dtype=np.float32)
    found *= 1.5
    for start in range(0, len(pids), 4096):
        found[start : start + 4096] += centres[pids[start : start + 4096]]
    return found


def write_ranked(folder: Path, queries: int, gallery: int) -> None:
    """`distances.npy` (queries, gallery) float32 and `labels.npz` for evaluators.

    No two distances of a row are equal: the peers sort in no stable order, so that with ties their
    digits would depend on the machine.
    """
    rng = np.random.default_rng(0)
    q_pids, q_cams = labels(rng, queries)
    g_pids, g_cams = labels(rng, gallery)
    out = np.lib.format.open_memmap(
        folder / "distances.npy", "w+", dtype=np.float32, shape=(queries, gallery)
    )
    ranks = np.arange(gallery, dtype=np.float32) / gallery
    for row, pid in zip(out, q_pids, strict=True):
        drawn = rng.random(gallery, dtype=np.float32) - 0.4 * (g_pids == pid)
        row[np.argsort(drawn, kind="stable")] = ranks
    out.flush()
    np.savez(folder / "labels.npz", q_pids=q_pids, g_pids=g_pids, q_cams=q_cams, g_cams=g_cams)


def read_ranked(folder: str) -> tuple[NDArray[np.float32], dict[str, NDArray[np.int64]]]:
    """What `write_ranked` wrote, in memory."""
    with np.load(Path(folder) / "labels.npz") as found:
        return np.load(Path(folder) / "distances.npy"), dict(found)


def two_sides(
    queries: int, gallery: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(queries, width) and (gallery, width) descriptors."""
    rng = np.random.default_rng(0)
    sizes = (queries, gallery)
    first, second = (descriptors(rng, labels(rng, size)[0], width) for size in sizes)
    return first, second


def distances(one: NDArray[np.float32], two: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, m) Euclidean, in float32 and in place, as the field does it."""
    found: NDArray[np.float32] = one @ two.T
    found *= -2
    found += (one**2).sum(1)[:, None]
    found += (two**2).sum(1)
    return np.sqrt(np.maximum(found, 0, out=found), out=found)


def told_of(matrix: NDArray[Any]) -> list[float]:
    """Some values of a large matrix, always at the same places, to hold two of them together."""
    chosen = np.random.default_rng(2).integers(0, matrix.size, 1000)
    return [float(value) for value in matrix.reshape(-1)[chosen]]


def draw_set(root: Path, identities: int, images: int) -> Path:
    """Draw JPEGs in RGBNT201's layout: `images` aligned triplets of each training identity.

    Returns:
        The folder, `<root>/RGBNT201`, made if it is not there.
    """
    from reid_datasets.synthesize import write_parallel

    folder = root / "RGBNT201"
    if not folder.exists():
        train = [_name(pid, n) for pid in range(identities) for n in range(images)]
        test = [_name(900 + pid, n) for pid in range(2) for n in range(4)]
        write_parallel(folder, {"train_171": train, "test": test}, seed=0, name="benchmark")
    return folder


def _name(pid: int, number: int) -> str:
    return f"{pid:06d}_cam{1 + number % 2}_0_{number:02d}.jpg"
