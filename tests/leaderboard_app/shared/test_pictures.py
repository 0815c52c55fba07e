"""Framed strips of a sample's pictures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.spec.dataset import Sample
from harness.spec.modality import MODALITIES
from leaderboard_app.shared.pictures import Frame, Place, strip

FRAMES: tuple[Frame, ...] = ("query", "correct", "wrong", "removed")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    root = tmp_path / "set"
    root.mkdir()
    paths = {}
    for modality, grey in zip(MODALITIES, (40, 120, 200), strict=True):
        paths[modality] = root / f"{modality}.png"
        Image.new("RGB", (64, 128), (grey, grey, grey)).save(paths[modality])
    return Place(root, {"a.png": Sample("a.png", 1, 0, None, paths)})


def pixels(data: bytes, page: str = "white") -> np.ndarray:
    """As they look on a page of this colour."""
    shown = Image.open(io.BytesIO(data))
    behind = Image.new("RGBA", shown.size, page)
    return np.asarray(Image.alpha_composite(behind, shown).convert("RGB"))


def test_the_pictures_stand_in_the_order_asked_for(place: Place) -> None:
    shown = pixels(strip(place, "a.png", ("RGB", "NI", "TI"), "query"))
    middle = shown[len(shown) // 2]
    seen = [int(middle[len(middle) * k // 6, 0]) for k in (1, 3, 5)]
    assert seen == [40, 120, 200]
    one = pixels(strip(place, "a.png", ("TI",), "query"))
    assert one[len(one) // 2, one.shape[1] // 2, 0] == 200


def test_frames_differ_in_pattern_and_not_only_in_colour(place: Place) -> None:
    rows = {f: pixels(strip(place, "a.png", MODALITIES, f))[1].mean(axis=1) for f in FRAMES}
    changes = {f: int(np.count_nonzero(np.diff(row))) for f, row in rows.items()}
    assert changes["correct"] == 0
    assert changes["wrong"] > 10


def test_removed_pictures_are_paler_on_any_page(place: Place) -> None:
    for page, towards in (("white", 1), ("black", -1)):
        plain, pale = (
            int(pixels(strip(place, "a.png", ("NI",), f), page)[90, 40, 0])
            for f in ("query", "removed")
        )
        assert (pale - plain) * towards > 50


def test_what_is_missing_is_a_placeholder(place: Place, tmp_path: Path) -> None:
    empty = strip(place, "no such", ("RGB",), "wrong")
    assert empty == strip(None, "a.png", ("RGB",), "wrong")
    assert empty == strip(place, "../set/RGB.png", ("RGB",), "wrong")
    place.samples["a.png"].paths["RGB"].write_bytes(b"<html>")
    assert empty == strip(place, "a.png", ("RGB",), "wrong")


def test_a_link_out_of_the_root_is_not_followed(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "secret.png"
    Image.new("RGB", (64, 128), (1, 2, 3)).save(outside)
    inside = place.samples["a.png"].paths["RGB"]
    inside.unlink()
    inside.symlink_to(outside)
    assert strip(place, "a.png", ("RGB",), "wrong") == strip(None, "a.png", ("RGB",), "wrong")
