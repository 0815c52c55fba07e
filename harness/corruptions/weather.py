"""Weather between the scene and the camera; thermal and near infrared see it without colour."""

from __future__ import annotations

import numpy as np

from harness.corruptions.blur import line
from harness.corruptions.field import Floats, Stream, clouds, convolve

_ICE = np.array([205.0, 222.0, 235.0])
_GREY_ICE = np.array([220.0, 220.0, 220.0])


def fog(image: Floats, strength: float, stream: Stream) -> Floats:
    """Mixes in light grey, more where the cloud is thick; at most `strength`."""
    height, width = image.shape[:2]
    thick = strength * (0.6 + 0.4 * clouds(stream, height, width, height / 3))[..., None]
    mixed: Floats = image * (1 - thick) + 217.0 * thick
    return mixed


def frost(image: Floats, strength: float, scale: float, stream: Stream, grey: bool) -> Floats:
    """Ice that grows from the edges of the lens along the ridges of noise."""
    height, width = image.shape[:2]
    ridges = 1 - np.abs(2 * clouds(stream, height, width, 12 * scale) - 1)
    across = np.abs(np.arange(width, dtype=np.float64) * 2 / (width - 1) - 1)[None, :]
    down = np.abs(np.arange(height, dtype=np.float64) * 2 / (height - 1) - 1)[:, None]
    edge = np.maximum(across, down)
    ice = np.clip(ridges * ridges * (0.5 + 0.7 * edge) * 1.3 * strength, 0, 0.95)[..., None]
    mixed: Floats = image * (1 - ice) + (_GREY_ICE if grey else _ICE) * ice
    return mixed


def snow(image: Floats, part: float, length: float, stream: Stream) -> Floats:
    """A pale scene with falling flakes: `part` of the pixels start one, `length` pixels long."""
    flakes = _falling(image, part, length, stream)
    light = image.max(axis=2, keepdims=True)
    pale = image + 6 * part * (255 - image) + 0.1 * (light - image)
    whitened: Floats = pale + (255 - pale) * np.clip(flakes * length * 0.9, 0, 1)
    return whitened


def rain(image: Floats, part: float, length: float, stream: Stream) -> Floats:
    """A darker scene behind bright streaks of `length` pixels; `part` of the pixels start one."""
    streaks = _falling(image, part, length, stream)
    dark = image * (1 - 12 * part)
    wet: Floats = dark + (210 - dark) * np.clip(streaks * length * 0.55, 0, 0.75)
    return wet


def _falling(image: Floats, part: float, length: float, stream: Stream) -> Floats:
    """(h, w, 1): thin lines of one slant, near the vertical."""
    height, width = image.shape[:2]
    drops = (stream.uniform(height, width) < part).astype(np.float64)
    return convolve(drops, line(length, 90 + stream.integer(-20, 20)))[..., None]
