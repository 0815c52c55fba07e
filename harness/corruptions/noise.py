"""Noise of the sensor; a camera of one channel gets one value for all three."""

from __future__ import annotations

import numpy as np

from harness.corruptions.field import Floats, Stream


def gaussian_noise(image: Floats, spread: float, stream: Stream, grey: bool) -> Floats:
    """Adds normal noise; `spread` is its deviation as a part of white."""
    return image + 255 * spread * _normal(image, stream, grey)


def shot_noise(image: Floats, photons: float, stream: Stream, grey: bool) -> Floats:
    """Photon noise in the normal approximation; `photons` are those of a white pixel."""
    return image + np.sqrt(image * 255 / photons) * _normal(image, stream, grey)


def speckle_noise(image: Floats, spread: float, stream: Stream, grey: bool) -> Floats:
    """Multiplies by one plus normal noise of deviation `spread`."""
    return image + image * spread * _normal(image, stream, grey)


def impulse_noise(image: Floats, part: float, stream: Stream, grey: bool) -> Floats:
    """Turns `part` of the values black or white, half of them each."""
    height, width, channels = image.shape
    draw = stream.uniform(height, width, 1 if grey else channels)
    return np.where(draw < part / 2, 0.0, np.where(draw < part, 255.0, image))


def _normal(image: Floats, stream: Stream, grey: bool) -> Floats:
    height, width, channels = image.shape
    return stream.normal(height, width, 1 if grey else channels)
