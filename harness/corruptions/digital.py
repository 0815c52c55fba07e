"""Exposure, colour, geometry and storage."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.corruptions.field import Floats, Stream, clouds, gaussian, sample, smooth_noise

_MUD = np.array([72.0, 52.0, 36.0])
_GREY_MUD = np.array([54.0, 54.0, 54.0])


def brightness(image: Floats, part: float) -> Floats:
    """Adds `part` of white."""
    return image + 255 * part


def contrast(image: Floats, part: float) -> Floats:
    """Keeps `part` of each value's distance from the image's mean."""
    # The sum of whole numbers is exact, whatever order they are added in.
    mean = float(image.astype(np.int64).sum()) / image.size
    return (image - mean) * part + mean


def saturate(image: Floats, factor: float) -> Floats:
    """Multiplies each value's distance from the pixel's grey."""
    grey = (0.299 * image[..., 0] + 0.587 * image[..., 1] + 0.114 * image[..., 2])[..., None]
    out: Floats = grey + (image - grey) * factor
    return out


def elastic(image: Floats, most: float, cell: float, stream: Stream) -> Floats:
    """Shifts each pixel by up to `most` pixels, smoothly over cells of `cell` pixels."""
    height, width = image.shape[:2]
    down = (2 * smooth_noise(stream, height, width, cell) - 1) * most
    right = (2 * smooth_noise(stream, height, width, cell) - 1) * most
    rows = np.arange(height, dtype=np.float64)[:, None] + down
    columns = np.arange(width, dtype=np.float64)[None, :] + right
    return sample(image, rows, columns)


def pixelate(image: NDArray[np.uint8], part: float) -> NDArray[np.uint8]:
    """Shrinks to `part` of the height and width and back."""
    height, width = image.shape[:2]
    small = max(1, round(width * part)), max(1, round(height * part))
    picture = Image.fromarray(image).resize(small, Image.Resampling.BOX)
    return np.asarray(picture.resize((width, height), Image.Resampling.NEAREST))


def jpeg(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Stores as JPEG of that quality (libjpeg's scale) and reads back."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def spatter(
    image: Floats, part: float, mud: bool, scale: float, stream: Stream, grey: bool
) -> Floats:
    """Drops of water, or of mud, over `part` of the image."""
    height, width = image.shape[:2]
    wet = clouds(stream, height, width, 14 * scale)
    border = np.sort(wet, axis=None)[int(wet.size * (1 - part)) - 1]
    drops = gaussian((wet > border).astype(np.float64), max(0.5, scale))[..., None]
    if mud:
        dirty: Floats = image * (1 - drops) + (_GREY_MUD if grey else _MUD) * drops
        return dirty
    clear: Floats = image * (1 - 0.7 * drops) + 225.0 * 0.7 * drops
    return clear
