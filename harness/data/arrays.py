"""Every image decoded and resized once, into one memory-mapped uint8 array."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

from harness.base.errors import HarnessError
from harness.base.files import cache_folder, no_space_named, require_space, write_json
from harness.base.hashing import digest
from harness.base.parallel import is_main
from harness.base.progress import progress
from harness.data.images import part_of, read_image
from harness.data.opened import OpenDataset
from harness.spec.dataset import SPLITS, Sample, Split
from harness.spec.modality import Modality
from harness.spec.recipe import Resize

# Rows handed to the pool at once: enough to keep all cores busy, few enough to stop quickly.
_CHUNK = 64

# How a file system says that it cannot set room aside; and bytes that are written there at once.
_CANNOT_RESERVE = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
_ZEROS = 1 << 20


@dataclass(frozen=True)
class ImageArrays:
    """The resized images of a data set.

    Attributes:
        images: (n, modalities, height, width, 3) uint8, memory-mapped, read-only.
        present: (n, modalities) bool; the pixels of an absent image are zero.
        modalities: The order of axis 1.
        rows: For each split in the array, the row of each of its samples, in the split's order.
        names: (n,) the folder and name of each row.
        key: The hash of what the array was made from.
    """

    images: NDArray[np.uint8]
    present: NDArray[np.bool_]
    modalities: tuple[Modality, ...]
    rows: dict[Split, NDArray[np.int64]]
    names: tuple[str, ...]
    key: str

    def axis(self, modality: Modality) -> int:
        """The position of a modality on axis 1."""
        return self.modalities.index(modality)


def decode(
    data: OpenDataset,
    height: int,
    width: int,
    resize: Resize = "bilinear",
    splits: tuple[Split, ...] = SPLITS,
) -> ImageArrays:
    """The data set as one array, made on first use and continued if it was interrupted.

    Pixels equal `PIL.Image.resize((width, height), ...)` of the image in mode RGB, which is what
    the authors' transforms give; other kinds of files become RGB by `harness.data.forms`. Pillow's
    version is part of the key because its resize may change between versions.

    Args:
        data: The data set.
        height, width: Of every image.
        resize: How; each way is an array of its own.
        splits: What is in the array; the others have no rows.

    Raises:
        UnreadableImageError: The first file that is no whole image; the rest is kept.
        DiskFullError: The array does not fit the cache's disk.
    """
    samples, rows = _unique(data, splits)
    modalities = data.card.modalities
    shape = (len(samples), len(modalities), height, width, 3)
    made_of = [data.pictures_hash, list(samples), height, width, list(modalities)]
    # Bilinear arrays were there before there was another way, and keep their key.
    made_of += [] if resize == "bilinear" else [resize]
    key = digest([*made_of, PIL.__version__])
    folder = cache_folder() / "arrays" / key[:24]
    images, done = _open_files(folder, shape)
    # Whoever believes no memory of the files believes no pixels of an earlier look either; they
    # are written over with themselves, which harms nobody who reads them meanwhile.
    todo = np.flatnonzero((done == 0) | (data.reread and is_main()))
    if todo.size:
        about = {"dataset": data.label, "root": str(data.root), "shape": list(shape), "key": key}
        write_json(folder / "about.json", about)
        _fill(images, done, list(samples.values()), todo, modalities, resize)
    present = np.array([[m in s.paths for m in modalities] for s in samples.values()], dtype=bool)
    final = np.memmap(folder / "images.u8", dtype=np.uint8, mode="r", shape=shape)
    return ImageArrays(final, present, modalities, rows, tuple(samples), key)


def _unique(
    data: OpenDataset, splits: tuple[Split, ...]
) -> tuple[dict[str, Sample], dict[Split, NDArray[np.int64]]]:
    """Samples by "folder/name", and each split's rows among them."""
    samples: dict[str, Sample] = {}
    keys: dict[Split, list[str]] = {}
    for split in splits:
        folder = data.card.folders[split]
        keys[split] = [f"{folder}/{s.name}" for s in data.samples(split)]
        samples.update(zip(keys[split], data.samples(split), strict=True))
    row = {key: i for i, key in enumerate(samples)}
    return samples, {s: np.array([row[k] for k in ks], np.int64) for s, ks in keys.items()}


def _open_files(
    folder: Path, shape: tuple[int, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    size = int(np.prod(shape))
    images, done = folder / "images.u8", folder / "done.u8"
    if not (images.exists() and images.stat().st_size == size):
        require_space(folder, size)
        with no_space_named(images):
            folder.mkdir(parents=True, exist_ok=True)
            _allocate(images, size)
            _allocate(done, shape[0])
    try:
        return (
            np.memmap(images, dtype=np.uint8, mode="r+", shape=shape),
            np.memmap(done, dtype=np.uint8, mode="r+", shape=(shape[0],)),
        )
    except OSError as error:
        if error.errno not in (errno.ENODEV, errno.EINVAL, errno.ENOSYS):
            raise
        raise HarnessError(
            seen=f"the file system of {folder} maps no files into memory ({error.strerror})",
            expected="a cache on a disk that does, where images are decoded once",
            do="HARNESS_CACHE=/a/local/folder, and the same command again",
        ) from error


def _allocate(path: Path, size: int) -> None:
    # Writing to a mapped page that the disk has no room for kills the process with a bus error,
    # so the room is taken beforehand, where the system can still say no.
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno not in _CANNOT_RESERVE:
                path.unlink(missing_ok=True)
                raise
            _write_zeros(file, size)


def _write_zeros(file: BinaryIO, size: int) -> None:
    part = bytes(_ZEROS)
    for start in range(0, size, _ZEROS):
        file.write(part[: size - start])


def _fill(
    images: NDArray[np.uint8],
    done: NDArray[np.uint8],
    samples: list[Sample],
    todo: NDArray[np.int64],
    modalities: tuple[Modality, ...],
    resize: Resize,
) -> None:
    height, width = images.shape[2:4]

    def fill_row(row: int) -> int:
        sample = samples[row]
        # A strip's modalities share one file, which is decoded once.
        spans = {path: sample.ranges.get(m) for m, path in sample.paths.items()}
        opened = {path: read_image(path, span) for path, span in spans.items()}
        for axis, modality in enumerate(modalities):
            if modality in sample.paths:
                part = part_of(opened[sample.paths[modality]], sample, modality)
                images[row, axis] = resized(part, height, width, resize)
        return row

    with progress("decoding", todo.size, " triplets") as advance, _pool() as pool:
        for chunk in _chunks(todo):
            for row in pool.map(fill_row, chunk):
                done[row] = 1
            advance(len(chunk))


def resized(
    image: Image.Image, height: int, width: int, resize: Resize = "bilinear"
) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 of an RGB image, resized as PIL does it."""
    return np.asarray(image.resize((width, height), Image.Resampling[resize.upper()]))


def _pool() -> ThreadPoolExecutor:
    # PIL lets go of the interpreter lock while it decodes and resizes; threads are enough.
    return ThreadPoolExecutor(os.cpu_count())


def _chunks(rows: NDArray[np.int64]) -> Iterator[list[int]]:
    for start in range(0, rows.size, _CHUNK):
        yield [int(r) for r in rows[start : start + _CHUNK]]
