"""The table of kinds and severities, and the one function that corrupts an image.

Images are corrupted on the host, whatever device a model is on: pixels have to be the same on every
machine. That rests on the raw words of PCG64 and on Pillow, neither of which a GPU has, and on
float64 operations that are rounded one by one, where a GPU may round a product and its sum together
and divides by multiplying. So the host is at work on the next batch while the device embeds this
one, see `harness.training.features.embed`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.corruptions import blur, digital, noise, weather
from harness.corruptions.field import Stream
from harness.spec.corruption import Drawn, Kind

Pixels = NDArray[np.uint8]


class Effect(NamedTuple):
    """One kind of corruption.

    Attributes:
        change: From the image (float64 unless `bytes_in`), the severity's values, the scale, the
            stream and whether the camera has one channel, to the corrupted image.
        levels: The values of severity 1 to 5, chosen by us on 256 x 128 images.
        words: What the values are; `px` are pixels of a 256 x 128 image.
        bytes_in: Pillow does the work, on the 8-bit pixels.
    """

    change: Callable[..., Any]
    levels: tuple[tuple[float, ...], ...]
    words: str
    bytes_in: bool = False


def _one(*values: float) -> tuple[tuple[float, ...], ...]:
    return tuple((v,) for v in values)


EFFECTS: dict[Kind, Effect] = {
    "gaussian-noise": Effect(
        lambda x, v, s, r, g: noise.gaussian_noise(x, v[0], r, g),
        _one(0.04, 0.08, 0.12, 0.18, 0.26),
        "deviation, part of white",
    ),
    "shot-noise": Effect(
        lambda x, v, s, r, g: noise.shot_noise(x, v[0], r, g),
        _one(100, 50, 25, 12, 6),
        "photons of a white pixel",
    ),
    "impulse-noise": Effect(
        lambda x, v, s, r, g: noise.impulse_noise(x, v[0], r, g),
        _one(0.02, 0.05, 0.09, 0.15, 0.24),
        "part of the values turned black or white",
    ),
    "speckle-noise": Effect(
        lambda x, v, s, r, g: noise.speckle_noise(x, v[0], r, g),
        _one(0.1, 0.18, 0.27, 0.38, 0.52),
        "deviation, part of the value",
    ),
    "defocus-blur": Effect(
        lambda x, v, s, r, g: blur.defocus_blur(x, v[0] * s),
        _one(1.5, 2.3, 3.2, 4.3, 5.6),
        "radius, px",
    ),
    "glass-blur": Effect(
        lambda x, v, s, r, g: blur.glass_blur(x, v[0] * s, v[1] * s, r),
        ((0.5, 1.5), (0.6, 2.2), (0.7, 3.0), (0.9, 4.0), (1.1, 5.2)),
        "deviation and reach, px",
    ),
    "motion-blur": Effect(
        lambda x, v, s, r, g: blur.motion_blur(x, v[0] * s, r),
        _one(5, 8, 11, 15, 20),
        "length, px",
    ),
    "zoom-blur": Effect(
        lambda x, v, s, r, g: blur.zoom_blur(x, v[0]),
        _one(1.06, 1.11, 1.16, 1.22, 1.3),
        "largest enlargement",
    ),
    "gaussian-blur": Effect(
        lambda x, v, s, r, g: blur.gaussian_blur(x, v[0] * s),
        _one(0.8, 1.3, 1.9, 2.7, 3.6),
        "deviation, px",
    ),
    "snow": Effect(
        lambda x, v, s, r, g: weather.snow(x, v[0], v[1] * s, r),
        ((0.004, 5), (0.008, 6), (0.013, 7), (0.02, 8), (0.03, 9)),
        "part of pixels with a flake; its length, px",
    ),
    "frost": Effect(
        lambda x, v, s, r, g: weather.frost(x, v[0], s, r, g),
        _one(0.25, 0.35, 0.46, 0.58, 0.72),
        "density of the ice",
    ),
    "fog": Effect(
        lambda x, v, s, r, g: weather.fog(x, v[0], r),
        _one(0.3, 0.42, 0.54, 0.66, 0.78),
        "largest part of grey mixed in",
    ),
    "rain": Effect(
        lambda x, v, s, r, g: weather.rain(x, v[0], v[1] * s, r),
        ((0.003, 10), (0.006, 12), (0.01, 14), (0.015, 17), (0.021, 20)),
        "part of pixels with a streak; its length, px",
    ),
    "brightness": Effect(
        lambda x, v, s, r, g: digital.brightness(x, v[0]),
        _one(0.1, 0.2, 0.3, 0.4, 0.5),
        "part of white added",
    ),
    "contrast": Effect(
        lambda x, v, s, r, g: digital.contrast(x, v[0]),
        _one(0.6, 0.45, 0.32, 0.2, 0.1),
        "part kept of the distance from the mean",
    ),
    "saturate": Effect(
        lambda x, v, s, r, g: digital.saturate(x, v[0]),
        _one(0.5, 0.2, 2.0, 3.5, 6.0),
        "factor of the distance from grey; RGB only",
    ),
    "elastic": Effect(
        lambda x, v, s, r, g: digital.elastic(x, v[0] * s, v[1] * s, r),
        ((3, 20), (4, 18), (5, 16), (6, 14), (7, 12)),
        "largest shift and its cell, px",
    ),
    "pixelate": Effect(
        lambda x, v, s, r, g: digital.pixelate(x, v[0]),
        _one(0.6, 0.5, 0.4, 0.3, 0.2),
        "part of height and width",
        bytes_in=True,
    ),
    "jpeg": Effect(
        lambda x, v, s, r, g: digital.jpeg(x, int(v[0])),
        _one(30, 22, 15, 10, 6),
        "quality of libjpeg",
        bytes_in=True,
    ),
    "spatter": Effect(
        lambda x, v, s, r, g: digital.spatter(x, v[0], v[1] > 0, s, r, g),
        ((0.06, 0), (0.11, 0), (0.17, 0), (0.17, 1), (0.25, 1)),
        "part covered; 0 water, 1 mud",
    ),
}


def corrupt(image: Pixels, drawn: Drawn, grey: bool) -> Pixels:
    """The corrupted image, a function of the arguments alone.

    Args:
        image: (height, width, 3) uint8, resized as the model sees it.
        drawn: What `Corruption.drawn` says for this image.
        grey: The camera has one channel (NI, TI): noise is the same in all three.

    Returns:
        (height, width, 3) uint8.
    """
    effect = EFFECTS[drawn.kind]
    # Lengths are said for 256 x 128; a smaller image is blurred by fewer pixels, but never by none.
    scale = max(sqrt(image.shape[0] * image.shape[1] / (256 * 128)), 0.5)
    given = image if effect.bytes_in else image.astype(np.float64)
    values = effect.levels[drawn.severity - 1]
    found = effect.change(given, values, scale, Stream(drawn.field), grey)
    return np.clip(np.floor(np.asarray(found, dtype=np.float64) + 0.5), 0, 255).astype(np.uint8)


def corrupt_all(
    images: Pixels, drawn: Sequence[Drawn | None], grey: bool, workers: int | None = None
) -> Pixels:
    """(n, height, width, 3): each image by what was drawn for it; None leaves it as it is."""
    todo = [i for i, d in enumerate(drawn) if d is not None]
    out = images.copy()
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        done = pool.map(lambda i: corrupt(images[i], drawn[i], grey), todo)  # type: ignore[arg-type]
        for i, pixels in zip(todo, done, strict=True):
            out[i] = pixels
    return out
