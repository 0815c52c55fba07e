"""Random fields and filters whose every bit is the same on every machine.

Only additions, multiplications, divisions and square roots of float64 are used on pixels, which
IEEE 754 rounds in one way only. `numpy.random`'s distributions may change between versions, and
`exp` or `cos` between processors; the raw words of PCG64 are promised not to.
"""

from __future__ import annotations

from math import ceil, exp

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Stream:
    """Random numbers of one image, from one seed."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def uniform(self, *shape: int) -> Floats:
        """Numbers in [0, 1), of 53 bits."""
        words = self._bits.random_raw(int(np.prod(shape)))
        fractions: Floats = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return fractions.reshape(shape)

    def normal(self, *shape: int) -> Floats:
        """Mean 0, variance 1: the sum of twelve 16-bit uniforms, so never beyond 6."""
        count = int(np.prod(shape))
        pieces = self._bits.random_raw(3 * count).astype("<u8").view("<u2").reshape(count, 12)
        total: Floats = pieces.astype(np.int64).sum(axis=1).astype(np.float64)
        return ((total - 6 * 65535) / 65536).reshape(shape)

    def integer(self, low: int, high: int) -> int:
        """One of low..high, both included."""
        return low + int(self._bits.random_raw()) % (high - low + 1)


def convolve(image: Floats, kernel: Floats) -> Floats:
    """The image filtered by an odd-sized kernel (rows, columns), edges repeated.

    The weights are rounded to 2**-16 and sum to one, so sums of 8-bit pixels are exact.
    """
    weights = np.round(kernel / kernel.sum() * 65536) / 65536
    middle = tuple(n // 2 for n in kernel.shape)
    weights[middle] += 1 - weights.sum()
    rows, columns = middle
    height, width = image.shape[:2]
    pad = [(rows, rows), (columns, columns)] + [(0, 0)] * (image.ndim - 2)
    padded = np.pad(image, pad, mode="edge")
    out = np.zeros_like(image, dtype=np.float64)
    for r, c in np.argwhere(weights != 0):
        out += weights[r, c] * padded[r : r + height, c : c + width]
    return out


def gaussian(image: Floats, sigma: float) -> Floats:
    """Blurred by a Gaussian cut at three sigma."""
    reach = max(1, ceil(3 * sigma))
    line = np.array([exp(-((i / sigma) ** 2) / 2) for i in range(-reach, reach + 1)])
    return convolve(convolve(image, line[:, None]), line[None, :])


def sample(image: Floats, rows: Floats, columns: Floats) -> Floats:
    """The image at fractional places (h, w), bilinear, clipped to its edges."""
    height, width = image.shape[:2]
    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    top, left = np.floor(rows).astype(np.int64), np.floor(columns).astype(np.int64)
    down, right = rows - top, columns - left
    if image.ndim == 3:
        down, right = down[..., None], right[..., None]
    low, far = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    above = image[top, left] * (1 - right) + image[top, far] * right
    below = image[low, left] * (1 - right) + image[low, far] * right
    mixed: Floats = above * (1 - down) + below * down
    return mixed


def smooth_noise(stream: Stream, height: int, width: int, cell: float) -> Floats:
    """(h, w) in [0, 1): random values on a grid of `cell` pixels, bilinear in between."""
    rows = np.arange(height, dtype=np.float64)[:, None] / cell + np.zeros((1, width))
    columns = np.arange(width, dtype=np.float64)[None, :] / cell + np.zeros((height, 1))
    grid = stream.uniform(int(height / cell) + 2, int(width / cell) + 2)
    return sample(grid, rows, columns)


def clouds(stream: Stream, height: int, width: int, coarsest: float) -> Floats:
    """(h, w) stretched to [0, 1]: smooth noise of halving cells and halving weights."""
    total, weight, cell = np.zeros((height, width)), 1.0, max(coarsest, 2.0)
    while cell >= 2:
        total = total + weight * smooth_noise(stream, height, width, cell)
        cell, weight = cell / 2, weight / 2
    low, high = total.min(), total.max()
    stretched: Floats = (total - low) / max(high - low, 1e-9)
    return stretched
