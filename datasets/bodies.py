"""Draws a walking person, back to front, as a map of surfaces."""

from __future__ import annotations

import math

from PIL import Image

from reid_datasets.skeleton import FAR, Canvas, Joint, Point, Pose, Shape, Surface

_FRONT: Joint = (0.0, 0.0, 1.0)


def surface_map(shape: Shape, pose: Pose, size: tuple[int, int]) -> Image.Image:
    """Draw the person's surfaces, back to front, on a map OVERSAMPLING times `size` (h, w)."""
    canvas = Canvas(shape, pose, size)
    bag_behind = canvas.depth(_FRONT) < 0.0
    sides = sorted((-1, 1), key=lambda side: -canvas.depth((float(side), 0.0, 0.0)))
    if shape.bag == "backpack" and bag_behind:
        _backpack(canvas, shape)
    if shape.hair == "long":
        _long_hair(canvas)
    _arm(canvas, shape, pose, sides[0], FAR)
    _leg(canvas, shape, pose, sides[0], FAR)
    _leg(canvas, shape, pose, sides[1], 0)
    _trunk(canvas, shape)
    if shape.bag == "shoulder bag" and sides[0] == shape.bag_side:
        _shoulder_bag(canvas, shape)
    _head(canvas, shape)
    if shape.bag == "backpack":
        _straps(canvas, shape) if bag_behind else _backpack(canvas, shape)
    _arm(canvas, shape, pose, sides[1], 0)
    if shape.bag == "shoulder bag" and sides[1] == shape.bag_side:
        _shoulder_bag(canvas, shape)
    return canvas.image


def _leg(canvas: Canvas, shape: Shape, pose: Pose, side: int, shade: int) -> None:
    swing = pose.stride * math.sin(pose.phase) * side
    bend = 0.15 + 0.7 * max(0.0, math.cos(pose.phase) * side) * pose.stride / 0.6
    hip: Joint = (side * 0.048 * shape.width, 0.51, 0.0)
    knee = (hip[0], hip[1] - 0.245 * math.cos(swing), 0.245 * math.sin(swing))
    low = swing - bend
    ankle = (hip[0], knee[1] - 0.225 * math.cos(low), knee[2] + 0.225 * math.sin(low))
    toe = (hip[0] + side * 0.015, ankle[1] - 0.022, ankle[2] + 0.085)
    bare = shape.upper == "dress" or shape.lower == "skirt"
    thigh = Surface.SKIN if bare else Surface.LOWER
    shin = Surface.LOWER if shape.lower == "trousers" and not bare else Surface.SKIN
    loose = 1.0 if shin is Surface.SKIN else 1.15
    w = shape.width
    if not shade:
        canvas.limb(hip, knee, (0.060 * w, 0.045 * w * loose), thigh + FAR)
        canvas.limb(knee, ankle, (0.043 * w * loose, 0.028 * w * loose), shin + FAR)
    canvas.limb(knee, ankle, (0.038 * w * loose, 0.023 * w * loose), shin + shade)
    canvas.limb(hip, knee, (0.056 * w, 0.041 * w * loose), thigh + shade)
    if shape.trim and thigh is Surface.LOWER:
        end = ankle if shin is Surface.LOWER else knee
        canvas.limb(hip, end, (0.012 * w, 0.012 * w), Surface.LOWER_MARK + shade)
    canvas.limb(ankle, toe, (0.027, 0.020), Surface.SHOES + shade)


def _arm(canvas: Canvas, shape: Shape, pose: Pose, side: int, shade: int) -> None:
    swing = -0.8 * pose.stride * math.sin(pose.phase) * side
    w = shape.width
    shoulder: Joint = (side * 0.108 * w, 0.785, 0.0)
    elbow = (shoulder[0] + side * 0.034, 0.785 - 0.160, 0.160 * math.sin(swing))
    low = swing + 0.35
    hand = (elbow[0], elbow[1] - 0.150 * math.cos(low), elbow[2] + 0.150 * math.sin(low))
    sleeved = shape.upper in ("long sleeve", "jacket")
    thick = w * (1.2 if shape.upper == "jacket" else 1.0)
    fore = Surface.UPPER if sleeved else Surface.SKIN
    if shape.pattern == "blocks" and sleeved:
        fore = Surface.UPPER_MARK
    if not shade:
        # A dark seam parts the arm from a trunk of the same cloth.
        canvas.limb(shoulder, elbow, (0.036 * thick, 0.034 * thick), Surface.UPPER + FAR)
        canvas.limb(elbow, hand, (0.032 * thick, 0.026 * thick), fore + FAR)
    canvas.limb(elbow, hand, (0.027 * thick, 0.020 * thick), fore + shade)
    canvas.ball(canvas.place(hand), 0.020, 0.027, Surface.SKIN + shade)
    upper_end = elbow if sleeved else _between(shoulder, elbow, 0.65)
    if not sleeved:
        canvas.limb(shoulder, elbow, (0.028 * w, 0.026 * w), Surface.SKIN + shade)
    canvas.limb(shoulder, upper_end, (0.033 * thick, 0.030 * thick), Surface.UPPER + shade)


def _between(a: Joint, b: Joint, t: float) -> Joint:
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


# Rings of the trunk from the neck down: height, half width, half depth, in body heights.
_TRUNK = (
    (0.850, 0.040, 0.040),
    (0.828, 0.080, 0.055),
    (0.795, 0.116, 0.068),
    (0.700, 0.108, 0.074),
    (0.610, 0.092, 0.066),
    (0.520, 0.102, 0.074),
    (0.480, 0.104, 0.074),
)


def _ring(canvas: Canvas, shape: Shape, up: float, across: float) -> Point:
    """The point of the trunk's outline at a height, `across` from -1 (left) to 1 (right)."""
    rings = _TRUNK
    lower = next((i for i, ring in enumerate(rings) if ring[0] <= up), len(rings) - 1)
    (h0, w0, d0), (h1, w1, d1) = rings[max(lower - 1, 0)], rings[lower]
    t = 0.0 if h0 == h1 else (h0 - up) / (h0 - h1)
    thick = shape.width * (1.10 if shape.upper == "jacket" else 1.0)
    half = canvas.spread((w0 + (w1 - w0) * t) * thick, (d0 + (d1 - d0) * t) * thick)
    x, y = canvas.place((0.0, up, 0.0))
    return (x + across * half * canvas.unit, y)


def _patch(
    canvas: Canvas, shape: Shape, ups: Point, acrosses: Point, surface: int, steps: int = 1
) -> None:
    """Paint the part of the trunk between two heights and two places across."""
    heights = [ups[0] + (ups[1] - ups[0]) * i / steps for i in range(steps + 1)]
    left = [_ring(canvas, shape, up, acrosses[0]) for up in heights]
    right = [_ring(canvas, shape, up, acrosses[1]) for up in reversed(heights)]
    canvas.polygon(left + right, surface)


def _skirt(canvas: Canvas, shape: Shape, hem: float, surface: int) -> None:
    flare = canvas.spread(0.125 * shape.width, 0.115 * shape.width) * canvas.unit
    x, y = canvas.place((0.0, hem, 0.0))
    top = [_ring(canvas, shape, 0.56, -1.0), _ring(canvas, shape, 0.56, 1.0)]
    canvas.polygon([*top, (x + flare, y), (x - flare, y)], surface)


def _trunk(canvas: Canvas, shape: Shape) -> None:
    full = (-1.0, 1.0)
    if shape.upper == "dress":
        _skirt(canvas, shape, 0.30, Surface.UPPER)
    elif shape.lower == "skirt":
        _skirt(canvas, shape, 0.34, Surface.LOWER)
    _patch(canvas, shape, (0.56, 0.48), full, Surface.LOWER)
    hem = 0.47 if shape.upper in ("jacket", "dress") else 0.51
    _patch(canvas, shape, (0.85, hem), full, Surface.UPPER, steps=9)
    if shape.pattern == "stripes":
        step = (0.80 - hem) / (2 * shape.bands)
        for band in range(shape.bands):
            top = 0.80 - 2 * band * step
            _patch(canvas, shape, (top, top - step), full, Surface.UPPER_MARK, steps=2)
    elif shape.pattern == "blocks":
        _patch(canvas, shape, (0.66, hem), full, Surface.UPPER_MARK, steps=5)
    # The front's middle moves across the outline as the person turns.
    front, middle = -canvas.depth(_FRONT), canvas.across(_FRONT)
    if shape.pattern == "logo" and front > 0.2:
        _patch(canvas, shape, (0.76, 0.64), _around(middle, 0.45 * front), Surface.UPPER_MARK)
    if shape.upper == "jacket" and front > 0.1:
        _patch(canvas, shape, (0.83, hem), _around(middle, 0.25 * front), Surface.INNER, steps=6)


def _around(middle: float, half: float) -> Point:
    return (max(-1.0, middle - half), min(1.0, middle + half))


def _head(canvas: Canvas, shape: Shape) -> None:
    front, middle = -canvas.depth(_FRONT), canvas.across(_FRONT)
    canvas.limb((0.0, 0.84, 0.0), (0.0, 0.89, 0.005), (0.034, 0.030), Surface.SKIN)
    x, y = canvas.place((0.0, 0.926, 0.012))
    unit = canvas.unit
    bald = shape.hair == "none"
    if shape.hair == "long" and front < 0.3:
        _long_hair(canvas)
    canvas.ball((x, y), 0.052, 0.068, Surface.FACE if bald else Surface.HAIR)
    if shape.hair == "bun":
        canvas.ball((x - middle * 0.05 * unit, y - 0.055 * unit), 0.026, 0.024, Surface.HAIR)
    if not bald and front > -0.45:
        # The face is a disc on the head's front that slides to the outline as the head turns.
        width = 0.048 * (0.45 + 0.55 * max(0.0, front))
        face = (x + middle * 0.024 * unit, y + 0.018 * unit)
        canvas.ball(face, width, 0.051, Surface.FACE)
    if shape.glasses and front > 0.15:
        for eye in (-0.5, 0.5):
            place = (x + (middle * 0.03 + eye * 0.042 * front) * unit, y - 0.002 * unit)
            canvas.ball(place, 0.017 * max(front, 0.4), 0.011, Surface.GLASSES)
    if shape.hat:
        canvas.ball((x, y - 0.034 * unit), 0.055, 0.040, Surface.HAT)
        brim = [(x, y - 0.030 * unit), (x + middle * 0.095 * unit, y - 0.022 * unit)]
        canvas.ball(brim[1] if abs(middle) > 0.4 else brim[0], 0.050, 0.011, Surface.HAT)


def _long_hair(canvas: Canvas) -> None:
    behind = canvas.depth(_FRONT) > -0.3
    x, y = canvas.place((0.0, 0.926, -0.010))
    wide, long = 0.056 * canvas.unit, (0.150 if behind else 0.115) * canvas.unit
    ends = [(x + 0.85 * wide, y + long), (x - 0.85 * wide, y + long)]
    canvas.polygon([(x - wide, y), (x + wide, y), *ends], Surface.HAIR)


def _backpack(canvas: Canvas, shape: Shape) -> None:
    half = canvas.spread(0.085, 0.045) * canvas.unit
    x, top = canvas.place((0.0, 0.80, -0.095))
    bottom = canvas.place((0.0, 0.575, -0.105))[1]
    canvas.polygon(
        [(x - half, top), (x + half, top), (x + half, bottom), (x - half, bottom)], Surface.BAG
    )
    canvas.ball((x, top), half / canvas.unit, 0.022, Surface.BAG)
    canvas.ball((x, bottom), half / canvas.unit, 0.018, Surface.BAG)


def _straps(canvas: Canvas, shape: Shape) -> None:
    for side in (-1, 1):
        top: Joint = (side * 0.062 * shape.width, 0.825, 0.03)
        end: Joint = (side * 0.080 * shape.width, 0.66, 0.055)
        canvas.limb(top, end, (0.011, 0.011), Surface.BAG)


def _shoulder_bag(canvas: Canvas, shape: Shape) -> None:
    side = float(shape.bag_side)
    canvas.limb((-side * 0.05, 0.83, 0.0), (side * 0.12, 0.52, 0.0), (0.007, 0.007), Surface.BAG)
    half = canvas.spread(0.030, 0.080) * canvas.unit
    x, y = canvas.place((side * 0.145 * shape.width, 0.46, 0.0))
    high = 0.06 * canvas.unit
    canvas.polygon(
        [(x - half, y - high), (x + half, y - high), (x + half, y + high), (x - half, y + high)],
        Surface.BAG,
    )
