"""What kind of pixels a picture file holds, and how each kind becomes RGB of 8 bits.

Grey and RGB of 8 bits are taken as they are. Of the others:

- More than 8 bits of grey: the data set's range for the modality (`Card.ranges`), else the whole of
  the file's own depth; never the picture's own lowest and highest value unless the range says
  `image`. Numbers of 32 bits and floating point have no white of their own, and need a range.
- 16 bits a colour: the upper 8 of each, as Pillow reads them.
- A palette: the colours it names. CMYK: as Pillow converts it, without a colour profile.
- Alpha: left out; what lies under it is the picture.
- A picture turned by its EXIF tag: turned upright, as viewers show it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from harness.spec.dataset import Range
from harness.spec.modality import Modality

_ORIENTATION = 0x0112
# TIFF's tags: bits of a value, and what 0 stands for (0: white).
_BITS, _PHOTOMETRIC = 258, 262
# Where a PNG may say how it is turned; without them, asking Pillow would decode the whole picture.
_PNG_TURNS = (b"eXIf", b"Raw profile type", b"com.adobe.xmp")

PLAIN = ""
"""The form of grey and RGB of 8 bits, upright: nothing has to be decided."""
TURNED = "turned"
_GREY = {16: "16-bit grey", 12: "12-bit grey"}
_INTEGERS, _FLOATS = "32-bit grey", "floating-point grey"
COLOURS_16 = "16 bits a colour"
DEEP = (*_GREY.values(), _INTEGERS, _FLOATS)
"""The forms that a range applies to."""
_BY_MODE = {
    "1": "1 bit",
    "P": "palette",
    "PA": "palette",
    "LA": "alpha",
    "La": "alpha",
    "RGBA": "alpha",
    "RGBa": "alpha",
    "CMYK": "CMYK",
    "I": _INTEGERS,
    "F": _FLOATS,
}


_RULES = {
    TURNED: "upright by its EXIF tag",
    COLOURS_16: "the upper 8 of each",
    "alpha": "which is left out",
    "palette": "by the colours it names",
    "1 bit": "as black and white",
    "CMYK": "converted without a colour profile",
}


class RangeError(ValueError):
    """Values that no rule, or not the data set's range, turns into 8 bits."""


def form_of(image: Image.Image, content: bytes | None = None) -> str:
    """The form of a picture in words, several joined by " + "; empty for a plain one.

    Args:
        image: Opened and not yet decoded: decoding loses what a file said.
        content: Its file's bytes, where the answer must not wait for decoding a PNG.
    """
    words = [_pixels(image)]
    if _orientation(image, content) != 1:
        words.append(TURNED)
    return " + ".join(word for word in words if word)


def depth_of(form: str) -> str:
    """Of a form, the part that a range applies to; empty where there is none."""
    return next((word for word in form.split(" + ") if word in DEEP), "")


def own_range(depth: str) -> tuple[float, float] | None:
    """The whole of a depth, or None for numbers that have no white of their own."""
    bits = next((bits for bits, word in _GREY.items() if word == depth), None)
    return None if bits is None else (0.0, 2.0**bits - 1)


def reading(form: str, span: Range | None) -> list[str]:
    """What is decided about a file that a plain one does not need, for the data's hash."""
    depth, found = depth_of(form), []
    if depth:
        ends = span or own_range(depth)
        found.append(f"{depth} {in_words(ends)}")
    return [*found, TURNED] if TURNED in form else found


def rules(files: Iterable[tuple[Modality, str, Range | None]]) -> tuple[str, ...]:
    """How the files of a set that are not plain are read: a line for each modality and form.

    Args:
        files: Of each, the modality, the form and the range of the modality.
    """
    count = Counter(row for row in files if row[1] != PLAIN)
    found = []
    for (modality, form, span), files_ in sorted(count.items(), key=lambda item: str(item[0])):
        told = "; ".join(_rule(word, span) for word in form.split(" + "))
        found.append(f"{modality}: {files_} {'file' if files_ == 1 else 'files'} of {told}")
    return tuple(found)


def _rule(word: str, span: Range | None) -> str:
    if word not in DEEP:
        return f"{word}, {_RULES.get(word, 'as Pillow converts it')}"
    if span == "image":
        return f"{word}, each by its own lowest and highest value, as the set asks"
    if span is not None:
        return f"{word}, {in_words(span)} as 0..255, the set's range"
    ends = own_range(word)
    if ends is None:
        return f"{word}, which needs a range and has none"
    return f"{word}, {in_words(ends)} as 0..255, the file's own depth"


def in_words(span: Range | None) -> str:
    """A range as a manifest writes it, "LOWEST..HIGHEST"."""
    if span is None or span == "image":
        return span or "no range"
    return "..".join(f"{end:.12g}" for end in span)


def as_rgb(image: Image.Image, span: Range | None) -> Image.Image:
    """A picture as RGB of 8 bits, upright, by the rules above.

    Args:
        image: Opened and not yet decoded.
        span: The data set's range for its modality, if it has one.

    Raises:
        RangeError: Numbers without a white of their own and no range, a range that cannot apply, or
            a value that is no number.
    """
    form = _pixels(image)
    if form == COLOURS_16 and span is not None:
        raise RangeError(f"it holds {form}, and a range is of one grey value")
    depth = depth_of(form)
    dark_is_high = span is None and _is_inverted(image)
    image.load()
    if depth:
        image = _stretched(image, depth, span, dark_is_high)
    return ImageOps.exif_transpose(image.convert("RGB"))


def extremes(image: Image.Image) -> tuple[float, float]:
    """The lowest and the highest value of a decoded picture of a deep form.

    Infinite on both sides where some value is no finite number.
    """
    values = _values(image)
    if not np.isfinite(values).all():
        return -np.inf, np.inf
    return float(values.min()), float(values.max())


def _pixels(image: Image.Image) -> str:
    # Pillow's mode of such files is RGB; only how it will decode them says what they hold.
    if image.mode in ("RGB", "RGBA", "LA", "L") and ";16" in str(getattr(image, "tile", "")):
        return COLOURS_16
    if image.mode.startswith("I;16"):
        bits = _tag(image, _BITS)
        return _GREY.get(bits[0] if bits else 16, _GREY[16])
    if image.mode == "I" and image.format == "PNG":
        return _GREY[16]  # as Pillow before 11.3 reads it
    if image.mode in ("L", "RGB", "YCbCr"):
        return PLAIN
    return _BY_MODE.get(image.mode, image.mode)


def _orientation(image: Image.Image, content: bytes | None) -> int:
    silent = content is not None and not any(mark in content for mark in _PNG_TURNS)
    if image.format == "PNG" and silent:
        return 1
    found = image.getexif().get(_ORIENTATION, 1)
    # Other numbers mean nothing, to viewers as well.
    return found if isinstance(found, int) and found in range(2, 9) else 1


def _is_inverted(image: Image.Image) -> bool:
    """Whether a deep TIFF counts from white, which Pillow mends for 8 bits only."""
    return image.mode.startswith("I;16") and _tag(image, _PHOTOMETRIC) == 0


def _tag(image: Image.Image, number: int) -> Any:
    return getattr(image, "tag_v2", {}).get(number)


def _stretched(
    image: Image.Image, depth: str, span: Range | None, dark_is_high: bool
) -> Image.Image:
    values = _values(image)
    if not np.isfinite(values).all():
        raise RangeError("it holds NaN or infinite numbers")
    if span == "image":
        low, high = float(values.min()), float(values.max())
    else:
        ends = span or own_range(depth)
        if ends is None:
            raise RangeError(f"it holds {depth}, which has no white of its own")
        low, high = ends
    # A picture of one value has no range; it is as dark as its lowest.
    scaled = (values - low) * (255.0 / (high - low) if high > low else 0.0)
    grey = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
    return _with_exif(Image.fromarray(255 - grey if dark_is_high else grey), image)


def _with_exif(made: Image.Image, source: Image.Image) -> Image.Image:
    # Decoding turns a TIFF itself; what it did not turn is still said in `info`.
    made.info.update({k: v for k, v in source.info.items() if k in ("exif", "xmp")})
    return made


def _values(image: Image.Image) -> NDArray[np.float64]:
    return np.asarray(image).astype(np.float64)
