"""Pictures of samples from the user's own data root, framed so that everybody can read them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image, ImageDraw

from harness.base.errors import DataError
from harness.data.images import read_sample
from harness.spec.dataset import Sample
from harness.spec.modality import Modality

Frame = Literal["query", "correct", "wrong", "removed"]

HEIGHT = 176
_BORDER = 7
_GAP = 3
_DASH = 9
# Blue and vermilion of the Okabe-Ito palette; the frame's pattern says the same without colour.
_COLOURS: dict[Frame, str] = {
    "query": "#6b7280",
    "correct": "#0072b2",
    "wrong": "#d55e00",
    "removed": "#9ca3af",
}
_PLAIN, _LINE = "#e5e7eb", "#ffffff"
_INK = "#6b7280"
# What is no picture is seen through: the page may be light or dark.
_CLEAR = (0, 0, 0, 0)
_PALE = 90


class Place(NamedTuple):
    """A data set's samples by split folder and name, and the folder nothing may lie outside of."""

    root: Path
    samples: Mapping[str, Sample]


def strip(place: Place | None, name: str, modalities: tuple[Modality, ...], frame: Frame) -> bytes:
    """A PNG of a sample's images side by side.

    Args:
        place: Where the pictures are; None where this machine does not have them.
        name: The sample's name; only ever looked up, never made into a path.
        modalities: Which images, from left to right.
        frame: Solid for correct, dashed for wrong, thin for the query, thin and pale for
            removed.

    A picture that is missing, damaged or outside the root is a placeholder with its modality.
    """
    tiles = [_tile(place, name, modality) for modality in modalities]
    inner = sum(tile.width for tile in tiles) + _GAP * (len(tiles) - 1)
    canvas = Image.new("RGBA", (inner + 2 * _BORDER, HEIGHT + 2 * _BORDER), _CLEAR)
    left = _BORDER
    for tile in tiles:
        tile.putalpha(_PALE if frame == "removed" else 255)
        canvas.paste(tile, (left, _BORDER))
        left += tile.width + _GAP
    _draw_frame(canvas, frame)
    out = io.BytesIO()
    canvas.save(out, "PNG")
    return out.getvalue()


def _tile(place: Place | None, name: str, modality: Modality) -> Image.Image:
    sample = place.samples.get(name) if place is not None else None
    if place is None or sample is None or modality not in sample.paths:
        return _placeholder(modality)
    path = sample.paths[modality]
    # A link in a data set may point anywhere; only what lies under the root is shown.
    if not path.resolve().is_relative_to(place.root.resolve()):
        return _placeholder(modality)
    try:
        image = read_sample(sample, modality)
    except (DataError, OSError):
        return _placeholder(modality)
    width = max(1, round(image.width * HEIGHT / image.height))
    return image.resize((width, HEIGHT), Image.Resampling.BILINEAR)


def _placeholder(modality: Modality) -> Image.Image:
    tile = Image.new("RGB", (HEIGHT // 2, HEIGHT), _PLAIN)
    draw = ImageDraw.Draw(tile)
    draw.line((0, 0, tile.width, HEIGHT), fill=_LINE, width=2)
    draw.line((0, HEIGHT, tile.width, 0), fill=_LINE, width=2)
    draw.text((tile.width // 2, HEIGHT // 2), modality, fill=_INK, anchor="mm")
    return tile


def _draw_frame(canvas: Image.Image, frame: Frame) -> None:
    draw = ImageDraw.Draw(canvas)
    width, height = canvas.size
    thick = {"query": 2, "removed": 2}.get(frame, 5)
    draw.rectangle((0, 0, width - 1, height - 1), outline=_COLOURS[frame], width=thick)
    if frame == "wrong":
        for start in range(0, 2 * (width + height), 2 * _DASH):
            _erase(draw, start, width, height, thick)


def _erase(draw: ImageDraw.ImageDraw, start: int, width: int, height: int, thick: int) -> None:
    """One gap of a dashed frame, `start` pixels along its edge from the top left."""
    for side, length in (("top", width), ("right", height), ("bottom", width), ("left", height)):
        if start < length:
            a, b = start, min(start + _DASH, length)
            box = {
                "top": (a, 0, b, thick - 1),
                "right": (width - thick, a, width - 1, b),
                "bottom": (width - b, height - thick, width - a, height - 1),
                "left": (0, height - b, thick - 1, height - a),
            }[side]
            draw.rectangle(box, fill=_CLEAR)
            return
        start -= length
