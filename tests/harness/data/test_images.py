"""What is no picture, and what is too much of one."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from harness.base.errors import UnreadableImageError
from harness.data.images import read_image


@pytest.mark.parametrize(
    ("head", "advice"),
    [
        (b"\0\0\0 ftypavif\0\0\0\0", "it is AVIF"),
        (b"GIF89a\x01\0\x01\0", "it is GIF"),
        (b"", "restore this file"),
    ],
)
def test_what_is_no_picture_of_ours_is_told_what_to_do(
    head: bytes, advice: str, tmp_path: Path
) -> None:
    file = tmp_path / "000001_cam1_0_00.jpg"
    file.write_bytes(head)
    with pytest.raises(UnreadableImageError) as found:
        read_image(file)
    assert advice in found.value.do


def test_a_picture_that_would_fill_the_memory_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "000001_cam1_0_00.png"
    Image.new("L", (30, 30)).save(file)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)
    with pytest.raises(UnreadableImageError) as found:
        read_image(file)
    assert "900 pixels" in found.value.seen and "save it smaller" in found.value.do
