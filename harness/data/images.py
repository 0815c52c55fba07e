"""Reading one image file, or saying exactly why it cannot be read."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from harness.base.errors import DataError, UnreadableImageError
from harness.spec.dataset import Sample
from harness.spec.modality import Modality

_MAGIC = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "BMP": b"BM"}


def read_image(path: Path) -> Image.Image:
    """The whole decoded image, in mode RGB.

    Raises:
        UnreadableImageError: Not an image (an HTML page saved by a download, say), or one cut
            short. PIL alone would fill the missing rows of a truncated JPEG or name no file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(512)
        if not any(head.startswith(magic) for magic in _MAGIC.values()):
            raise UnreadableImageError(
                seen=f"{path} is no image: it begins with {_glimpse(head)}",
                expected=f"a picture in one of: {', '.join(_MAGIC)}",
                do=_advice(head),
            )
        with Image.open(path) as image:
            return image.convert("RGB")
    except DataError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableImageError(
            seen=f"{path} ({_size(path)}) cannot be decoded: {error}",
            expected="a whole picture",
            do="restore this file from the archive; it was cut short or damaged on the way",
        ) from error


def read_sample(sample: Sample, modality: Modality) -> Image.Image:
    """The image of one modality of a sample, in mode RGB, cropped if its file is a strip.

    Raises:
        UnreadableImageError: The file is no whole image, or a strip that does not divide.
        KeyError: The sample lacks the modality; ask `sample.paths` first.
    """
    return part_of(read_image(sample.paths[modality]), sample, modality)


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
    return "restore this file from the archive"


def _size(path: Path) -> str:
    return f"{path.stat().st_size:,} bytes" if path.exists() else "missing"
