"""Blur of the lens, of the scene's motion, and of what stands before the lens."""

from __future__ import annotations

from math import cos, radians, sin

import numpy as np

from harness.corruptions.field import Floats, Stream, convolve, gaussian, sample

_ZOOM_STEPS = 8


def defocus_blur(image: Floats, radius: float) -> Floats:
    """The mean over a disc of `radius` pixels with a soft edge."""
    reach = int(radius) + 1
    place = np.arange(-reach, reach + 1, dtype=np.float64)
    distance = np.sqrt(place[:, None] ** 2 + place[None, :] ** 2)
    return convolve(image, np.clip(radius + 0.5 - distance, 0, 1))


def gaussian_blur(image: Floats, sigma: float) -> Floats:
    """A Gaussian of deviation `sigma` pixels."""
    return gaussian(image, sigma)


def motion_blur(image: Floats, length: float, stream: Stream) -> Floats:
    """A line of `length` pixels, at most 45 degrees from the horizontal."""
    return convolve(image, line(length, stream.integer(-45, 45)))


def glass_blur(image: Floats, sigma: float, reach: float, stream: Stream) -> Floats:
    """Each pixel is taken from within `reach` of its place, between two Gaussians."""
    height, width = image.shape[:2]
    shift = 2 * stream.uniform(2, height, width) - 1
    rows = np.arange(height, dtype=np.float64)[:, None] + np.floor(shift[0] * reach + 0.5)
    columns = np.arange(width, dtype=np.float64)[None, :] + np.floor(shift[1] * reach + 0.5)
    return gaussian(sample(gaussian(image, sigma), rows, columns), sigma)


def zoom_blur(image: Floats, most: float) -> Floats:
    """The mean of the image and copies enlarged about its middle, up to `most` times."""
    height, width = image.shape[:2]
    middle = (height - 1) / 2, (width - 1) / 2
    total = image
    for step in range(1, _ZOOM_STEPS):
        zoom = 1 + (most - 1) * step / (_ZOOM_STEPS - 1)
        rows = (np.arange(height) - middle[0])[:, None] / zoom + middle[0] + np.zeros((1, width))
        columns = (np.arange(width) - middle[1])[None, :] / zoom + middle[1] + np.zeros((height, 1))
        total = total + sample(image, rows, columns)
    return total / _ZOOM_STEPS


def line(length: float, degrees: int) -> Floats:
    """A kernel that is a line through its middle; 0 degrees is horizontal, 90 vertical."""
    reach = max(1, int(length / 2 + 0.5))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    down, right = sin(radians(degrees)), cos(radians(degrees))
    for step in range(-4 * reach, 4 * reach + 1):
        along = step / 4 * min(1.0, length / 2 / reach)
        kernel[reach + round(along * down), reach + round(along * right)] += 1
    return kernel
