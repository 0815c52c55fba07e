"""Reading one image file, or saying exactly why it cannot be read."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from harness.base.errors import DataError, UnreadableImageError
from harness.data.forms import RangeError, as_rgb
from harness.spec.dataset import Range, Sample
from harness.spec.modality import Modality

_MAGIC = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "BMP": (b"BM",),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "WEBP": (b"RIFF",),
}
FORMATS = tuple(_MAGIC)
"""The formats that are pictures here, by Pillow's names."""

# Several pictures in one of these are several pictures; in the others they are a preview.
_PAGED = ("TIFF", "WEBP")
# What people have beside these, so that the answer can say what it is.
_OTHERS = {b"GIF8": "GIF", b"\0\0\0\x0cjP": "JPEG 2000", b"%PDF": "PDF", b"\x93NUMPY": "NumPy"}


def read_image(path: Path, span: Range | None = None) -> Image.Image:
    """The whole decoded image, upright, in mode RGB, by the rules of `harness.data.forms`.

    Args:
        path: A file in one of `FORMATS`.
        span: Which values of a file of more than 8 bits become 0 and 255; None for all its depth.

    Raises:
        UnreadableImageError: Not an image (an HTML page saved by a download, say), one cut short,
            or one whose numbers need a range. PIL alone would fill the missing rows of a truncated
            JPEG, clip 16 bits to white, or name no file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(512)
        if not _is_picture(head):
            raise UnreadableImageError(
                seen=f"{path} is no image: it begins with {_glimpse(head)}",
                expected=f"a picture in one of: {', '.join(FORMATS)}",
                do=_advice(head),
            )
        with Image.open(path) as image:
            require_one_picture(image, path)
            return _as_rgb(image, span, path)
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableImageError(
            seen=f"{path} ({_size(path)}) is too large to be decoded: {error}",
            expected="a picture of one person or vehicle, of thousands of pixels a side at most",
            do="look at it; where it is what it should be, save it smaller",
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadableImageError(
            seen=f"{path} ({_size(path)}) cannot be decoded: {error}",
            expected="a whole picture",
            do="restore this file from the archive; it was cut short or damaged on the way",
        ) from error


def _is_picture(head: bytes) -> bool:
    if head.startswith(_MAGIC["WEBP"]):
        return head[8:12] == b"WEBP"
    return any(head.startswith(magic) for magics in _MAGIC.values() for magic in magics)


def require_one_picture(image: Image.Image, path: Path) -> None:
    """Refuse a TIFF of several pages and an animated WebP.

    Raises:
        UnreadableImageError: There are several pictures in it, or none.
    """
    count = getattr(image, "n_frames", 1) if image.format in _PAGED else 1
    if count != 1:
        raise UnreadableImageError(
            seen=f"{path} holds {count} pictures",
            expected="one picture in a file",
            do="save the one that is meant as a file of its own",
        )


def _as_rgb(image: Image.Image, span: Range | None, path: Path) -> Image.Image:
    try:
        return as_rgb(image, span)
    except RangeError as error:
        raise UnreadableImageError(
            seen=f"{path} cannot be shown in 8 bits: {error}",
            expected="finite numbers, and for 32 bits and floating point a range: which of them "
            "become black and white",
            do="write it into the manifest, in a column such as TI_range with LOWEST..HIGHEST, or "
            "into the card's ranges; docs/datasets.md shows both",
        ) from error


def read_sample(sample: Sample, modality: Modality) -> Image.Image:
    """The image of one modality of a sample, in mode RGB, cropped if its file is a strip.

    Files of more than 8 bits are read by the sample's range for the modality.

    Raises:
        UnreadableImageError: The file is no whole image, or a strip that does not divide.
        KeyError: The sample lacks the modality; ask `sample.paths` first.
    """
    image = read_image(sample.paths[modality], sample.ranges.get(modality))
    return part_of(image, sample, modality)


def part_of(image: Image.Image, sample: Sample, modality: Modality) -> Image.Image:
    """What belongs to one modality in the decoded file of a sample: all of it, or its share.

    A strip holds the images of `sample.strip` side by side, all of one width.

    Raises:
        UnreadableImageError: The width does not divide by the number of images.
    """
    if not sample.strip:
        return image
    width, rest = divmod(image.width, len(sample.strip))
    if rest or not width:
        raise UnreadableImageError(
            seen=f"{sample.paths[modality]} is {image.width} pixels wide",
            expected=f"{len(sample.strip)} images of one width side by side "
            f"({', '.join(sample.strip)})",
            do="restore this file from the archive; it was cropped or resized",
        )
    left = width * sample.strip.index(modality)
    return image.crop((left, 0, left + width, image.height))


def _glimpse(head: bytes) -> str:
    return repr(head[:24].decode("latin-1")) if head else "nothing, the file is empty"


def _advice(head: bytes) -> str:
    if head.lstrip()[:1] == b"<":
        return "a web page was saved in place of the picture: download the archive again"
    if head[4:8] == b"ftyp":
        return "it is AVIF, HEIF or a film: save it as PNG, which keeps 16 bits as they are"
    other = next((name for magic, name in _OTHERS.items() if head.startswith(magic)), None)
    if other is not None:
        return f"it is {other}: save it as PNG, which keeps 16 bits as they are"
    return "restore this file from the archive"


def _size(path: Path) -> str:
    return f"{path.stat().st_size:,} bytes" if path.exists() else "missing"
