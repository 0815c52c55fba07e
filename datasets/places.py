"""The surroundings of a camera: floor, wall, doors, windows, trees and poles in five channels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Stuff = tuple[int, int, int, int, int]
"""Red, green, blue, near infrared and warmth of a thing, 0 to 255."""


class _Painter:
    """Draws each thing twice: once in colour, once in near infrared and warmth."""

    def __init__(self, size: tuple[int, int], stuff: Stuff) -> None:
        self.height, self.width = size
        self.visible = Image.new("RGB", (self.width, self.height), stuff[:3])
        self.hidden = Image.new("RGB", (self.width, self.height), (*stuff[3:], 0))
        self._draws = (ImageDraw.Draw(self.visible), ImageDraw.Draw(self.hidden))

    def box(self, left: float, top: float, right: float, bottom: float, stuff: Stuff) -> None:
        w, h = self.width, self.height
        for draw, fill in zip(self._draws, (stuff[:3], (*stuff[3:], 0)), strict=True):
            draw.rectangle((left * w, top * h, right * w, bottom * h), fill=fill)

    def blob(self, x: float, y: float, across: float, up: float, stuff: Stuff) -> None:
        h, x = self.height, x * self.width
        for draw, fill in zip(self._draws, (stuff[:3], (*stuff[3:], 0)), strict=True):
            draw.ellipse((x - across * h, (y - up) * h, x + across * h, (y + up) * h), fill=fill)

    def slab(self, corners: list[tuple[float, float]], stuff: Stuff) -> None:
        points = [(x * self.width, y * self.height) for x, y in corners]
        for draw, fill in zip(self._draws, (stuff[:3], (*stuff[3:], 0)), strict=True):
            draw.polygon(points, fill=fill)


def draw_place(
    rng: np.random.Generator, ambient: float, size: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Draw a place of its own for each generator.

    Args:
        rng: Where all choices come from.
        ambient: Warmth of the air, 0 to 1; people are near 1.
        size: Height and width.
    """
    horizon = 0.42 + 0.24 * float(rng.random())
    painter = _Painter(size, _stuff(rng, ambient, 50, 110))
    painter.box(0, horizon, 1, 1, _stuff(rng, ambient + 0.04, 55, 105))
    things = (_door, _window, _tree, _pole, _door, _tree)
    count = 9
    for slot in range(count):
        x = (slot + 0.15 + 0.5 * float(rng.random())) / count
        things[int(rng.integers(len(things)))](painter, rng, ambient, x, horizon)
    _paving(painter, rng, ambient, horizon)
    return _textured(painter, rng)


def _stuff(rng: np.random.Generator, ambient: float, low: int, high: int) -> Stuff:
    """A dull material: nearly grey in colour, with an infrared brightness of its own."""
    level = int(rng.integers(low, high))
    red, green, blue = (max(0, min(255, level + int(rng.integers(-10, 11)))) for _ in range(3))
    ni = int(rng.integers(low // 2, high)) * 3 // 4
    warmth = int(255 * ambient) + int(rng.integers(-10, 14))
    return red, green, blue, ni, max(4, min(140, warmth))


def _door(
    painter: _Painter, rng: np.random.Generator, ambient: float, x: float, horizon: float
) -> None:
    wide = 0.03 + 0.02 * float(rng.random())
    painter.box(x - 0.006, 0.10, x + wide + 0.006, horizon, _stuff(rng, ambient, 40, 140))
    painter.box(x, 0.12, x + wide, horizon, _stuff(rng, ambient + 0.05, 30, 90))


def _window(
    painter: _Painter, rng: np.random.Generator, ambient: float, x: float, horizon: float
) -> None:
    lit = _stuff(rng, ambient + 0.10, 90, 160)
    for row in (0.05, 0.24):
        painter.box(x, row, x + 0.05, min(row + 0.15, horizon), lit)
        painter.box(
            x + 0.024, row, x + 0.027, min(row + 0.15, horizon), _stuff(rng, ambient, 30, 90)
        )


def _tree(
    painter: _Painter, rng: np.random.Generator, ambient: float, x: float, horizon: float
) -> None:
    painter.box(x, 0.15, x + 0.012, horizon + 0.06, (60, 48, 38, 70, int(255 * ambient)))
    for _ in range(12):
        dx, dy, r, tone = rng.random(4).tolist()
        # Leaves are dark green to the eye and bright in near infrared.
        leaf = (30 + int(30 * tone), 56 + int(50 * tone), 30, 110 + int(70 * tone))
        painter.blob(
            x + (dx - 0.4) * 0.10,
            0.02 + 0.28 * dy,
            0.05 + 0.05 * r,
            0.04 + 0.03 * r,
            (*leaf, int(255 * (ambient + 0.04 * tone))),
        )


def _pole(
    painter: _Painter, rng: np.random.Generator, ambient: float, x: float, horizon: float
) -> None:
    painter.box(x, 0, x + 0.010, horizon + 0.10, _stuff(rng, ambient, 70, 150))


def _paving(painter: _Painter, rng: np.random.Generator, ambient: float, horizon: float) -> None:
    """Bands on the floor that widen towards the viewer."""
    line = _stuff(rng, ambient + 0.06, 90, 140)
    steps = int(rng.integers(5, 12))
    slant = (float(rng.random()) - 0.5) * 0.2
    for step in range(steps):
        x = (step + 0.2) / steps
        corners = [(x, horizon + 0.08), (x + 0.02, horizon + 0.08)]
        painter.slab([*corners, (x + 0.05 + slant, 1.0), (x + slant, 1.0)], line)


def _textured(painter: _Painter, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Soften the drawing and lay grain of two sizes over it, little of it in the warmth."""
    height, width = painter.height, painter.width
    blur = ImageFilter.BoxBlur(height / 220)
    channels = (*painter.visible.filter(blur).split(), *painter.hidden.filter(blur).split()[:2])
    place = np.stack([np.asarray(c) for c in channels], axis=-1).astype(np.float32)
    for cells, depth in ((10, 0.34), (70, 0.20)):
        coarse = rng.integers(0, 256, (cells, cells * width // height, 3), np.uint8)
        grain = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        level = (np.asarray(grain).astype(np.float32) - np.float32(128)) * np.float32(depth / 255)
        # One grain for the three colours, others for the infrared ones.
        place *= 1 + np.stack(
            [level[..., 0]] * 3
            + [level[..., 1] * np.float32(0.5), level[..., 2] * np.float32(0.3)],
            axis=-1,
        )
    return place
