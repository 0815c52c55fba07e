"""What a drawn person is made of, how they stand, and the canvas that projects them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

Hair = Literal["short", "long", "bun", "none"]
Upper = Literal["t-shirt", "long sleeve", "jacket", "dress"]
Pattern = Literal["plain", "stripes", "blocks", "logo"]
Lower = Literal["trousers", "shorts", "skirt"]
Bag = Literal["none", "backpack", "shoulder bag"]

OVERSAMPLING = 2
"""Maps are drawn this many times larger than the picture, then averaged down."""


class Surface(IntEnum):
    """What a pixel of a surface map shows."""

    NOTHING = 0
    SKIN = 1
    FACE = 2
    HAIR = 3
    UPPER = 4
    UPPER_MARK = 5
    INNER = 6
    LOWER = 7
    LOWER_MARK = 8
    SHOES = 9
    BAG = 10
    HAT = 11
    GLASSES = 12


FAR = 16
"""Added to the surfaces of the arm and the leg behind the body, which are in its shade."""


@dataclass(frozen=True)
class Shape:
    """What of a person is the same in all three modalities: build and cut of the clothes."""

    height: float
    width: float
    hair: Hair
    upper: Upper
    pattern: Pattern
    bands: int
    lower: Lower
    trim: bool
    bag: Bag
    bag_side: int
    hat: bool
    glasses: bool


@dataclass(frozen=True)
class Pose:
    """How the person of one picture stands in it."""

    yaw: float
    pitch: float
    phase: float
    stride: float
    lean: float
    scale: float
    shift: float
    lift: float


def draw_pose(rng: np.random.Generator, yaw: float, yaw_spread: float, pitch: float) -> Pose:
    """A moment of a walk, seen by a camera that looks from `yaw` radians (0 is face on)."""
    turn, phase, stride, lean, scale, shift, lift = rng.random(7).tolist()
    return Pose(
        yaw=yaw + (2 * turn - 1) * yaw_spread,
        pitch=pitch,
        phase=2 * math.pi * phase,
        stride=0.25 + 0.35 * stride,
        lean=(lean - 0.5) * 0.10,
        scale=0.84 + 0.12 * scale,
        shift=(shift - 0.5) * 0.14,
        lift=(lift - 0.5) * 0.03,
    )


Point = tuple[float, float]
Joint = tuple[float, float, float]


class Canvas:
    """Places points of the body (right, up, forward, in body heights) on a map and paints them."""

    def __init__(self, shape: Shape, pose: Pose, size: tuple[int, int]) -> None:
        height, width = size[0] * OVERSAMPLING, size[1] * OVERSAMPLING
        self.image = Image.new("L", (width, height), int(Surface.NOTHING))
        self._draw = ImageDraw.Draw(self.image)
        self._cos, self._sin = math.cos(pose.yaw), math.sin(pose.yaw)
        self._pitch, self._lean = math.sin(pose.pitch), pose.lean
        # People who are taller fill more of the box, but detectors cut boxes to fit.
        self.unit = height * pose.scale * (0.75 + 0.25 * shape.height)
        self._x = width * (0.5 + pose.shift)
        self._y = height * (0.5 + pose.lift) + 0.5 * self.unit

    def depth(self, joint: Joint) -> float:
        """How far behind the body's middle a joint is for this camera."""
        return joint[0] * self._sin - joint[2] * self._cos

    def across(self, joint: Joint) -> float:
        """How far to the right of the body's middle a joint is in the picture."""
        return joint[0] * self._cos + joint[2] * self._sin

    def place(self, joint: Joint) -> Point:
        """Where a joint lands on the map."""
        up = joint[1]
        across = self.across(joint) + self._lean * up
        # Seen from above, what is nearer stands lower in the picture.
        return (
            self._x + across * self.unit,
            self._y - (up + self._pitch * self.depth(joint)) * self.unit,
        )

    def spread(self, half_width: float, half_depth: float) -> float:
        """Half the visible width of a body ring, in body heights."""
        return math.hypot(half_width * self._cos, half_depth * self._sin)

    def polygon(self, points: list[Point], surface: int) -> None:
        """Fill the outline."""
        self._draw.polygon(points, fill=int(surface))

    def ball(self, centre: Point, across: float, up: float, surface: int) -> None:
        """Fill an ellipse with the two half axes, in body heights, around a point of the map."""
        (x, y), a, b = centre, across * self.unit, up * self.unit
        self._draw.ellipse((x - a, y - b, x + a, y + b), fill=int(surface))

    def limb(self, start: Joint, end: Joint, radii: Point, surface: int) -> None:
        """Fill a tapered rod with round ends."""
        (x0, y0), (x1, y1) = self.place(start), self.place(end)
        r0, r1 = radii[0] * self.unit, radii[1] * self.unit
        length = math.hypot(x1 - x0, y1 - y0) or 1.0
        nx, ny = (y1 - y0) / length, (x0 - x1) / length
        sides = [
            (x0 + nx * r0, y0 + ny * r0),
            (x1 + nx * r1, y1 + ny * r1),
            (x1 - nx * r1, y1 - ny * r1),
            (x0 - nx * r0, y0 - ny * r0),
        ]
        self._draw.polygon(sides, fill=int(surface))
        for x, y, r in ((x0, y0, r0), (x1, y1, r1)):
            self._draw.ellipse((x - r, y - r, x + r, y + r), fill=int(surface))
