"""Files that are not plain 8 bits: each kind by its rule, said, and part of the data's identity."""

from __future__ import annotations

import csv
import json
import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.base.errors import DataError, UnreadableImageError
from harness.base.hashing import digest, file_digest
from harness.data.arrays import decode
from harness.data.hashes import content_hash
from harness.data.images import read_image
from harness.data.open import open_dataset
from harness.data.opened import OpenDataset
from harness.data.variants import data_summary
from harness.evidence.fields import _DataSaid
from harness.spec.plugins import load_plugins
from tests.conftest import Harness


def _pixel(path: Path, span: Any = None) -> tuple[int, ...]:
    found = read_image(path, span).getpixel((0, 0))
    assert isinstance(found, tuple)
    return found


def _deep(path: Path, values: Any, dtype: str = "u2") -> Path:
    Image.fromarray(np.array(values, dtype=dtype)).save(path)
    return path


def _png16(path: Path, colours: int, value: int) -> Path:
    """A PNG of 16 bits a channel, which Pillow cannot write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (b"\0" + struct.pack(f">{4 * colours}H", *[value] * 4 * colours)) * 4
    head = struct.pack(">IIBBBBB", 4, 4, 16, {2: 4, 3: 2, 4: 6}[colours], 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_are_scaled_by_their_depth_or_by_the_range(suffix: str, tmp_path: Path) -> None:
    path = _deep(tmp_path / f"a.{suffix}", [[0, 29000, 30000, 31000, 65535]])
    seen = np.asarray(read_image(path))[0]
    assert seen[:, 0].tolist() == [round(v * 255 / 65535) for v in (0, 29000, 30000, 31000, 65535)]
    assert (seen[:, 0] == seen[:, 1]).all() and (seen[:, 0] == seen[:, 2]).all()
    ranged = np.asarray(read_image(path, (29000.0, 31000.0)))[0, :, 0]
    assert ranged.tolist() == [0, 0, 128, 255, 255]
    asked = np.asarray(read_image(path, "image"))[0, :, 0]
    assert asked[[0, -1]].tolist() == [0, 255]


@pytest.mark.parametrize("dtype", ["f4", "i4"])
def test_numbers_without_a_white_of_their_own_need_a_range(dtype: str, tmp_path: Path) -> None:
    path = _deep(tmp_path / "a.tiff", [[280, 300, 320]], dtype)
    with pytest.raises(UnreadableImageError) as caught:
        read_image(path)
    assert "a.tiff" in caught.value.seen and "TI_range" in caught.value.do
    assert np.asarray(read_image(path, (280.0, 320.0)))[0, :, 0].tolist() == [0, 128, 255]


def test_a_value_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = _deep(tmp_path / "a.tiff", [[1.0, np.nan]], "f4")
    with pytest.raises(UnreadableImageError, match="NaN"):
        read_image(path, (0.0, 1.0))


def test_a_picture_of_one_value_is_dark_under_its_own_range(tmp_path: Path) -> None:
    assert _pixel(_deep(tmp_path / "a.png", [[7, 7]]), "image") == (0, 0, 0)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_16_bits_a_colour_give_their_upper_8(channels: int, tmp_path: Path) -> None:
    path = _png16(tmp_path / "a.png", channels, 50000)
    assert _pixel(path) == (195, 195, 195)
    with pytest.raises(UnreadableImageError, match="16 bits a colour"):
        read_image(path, (0.0, 1000.0))


def _saved(path: Path, mode: str, colour: Any, **options: Any) -> Path:
    Image.new(mode, (6, 3), colour).save(path, **options)
    return path


def test_palette_alpha_bits_and_cmyk(tmp_path: Path) -> None:
    drawn = Image.new("RGB", (6, 3), (200, 10, 20))
    drawn.quantize(4).save(tmp_path / "p.png")
    assert _pixel(tmp_path / "p.png") == (200, 10, 20)
    assert _pixel(_saved(tmp_path / "la.png", "LA", (90, 0))) == (90, 90, 90)
    assert _pixel(_saved(tmp_path / "rgba.png", "RGBA", (9, 8, 7, 0))) == (9, 8, 7)
    assert _pixel(_saved(tmp_path / "one.png", "1", 1)) == (255, 255, 255)
    red, green, blue = _pixel(_saved(tmp_path / "c.jpg", "CMYK", (0, 255, 255, 0)))
    assert red > 250 and green < 5 and blue < 5


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
def test_a_turned_picture_is_read_upright(suffix: str, tmp_path: Path) -> None:
    picture = Image.new("RGB", (64, 32), (200, 0, 0))
    picture.paste((0, 0, 200), (0, 0, 32, 32))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / f"a.{suffix}", exif=exif)
    upright = read_image(tmp_path / f"a.{suffix}")
    assert upright.size == (32, 64)
    top, bottom = upright.getpixel((16, 8)), upright.getpixel((16, 56))
    assert isinstance(top, tuple) and isinstance(bottom, tuple)
    assert top[2] > 150 > top[0] and bottom[0] > 150 > bottom[2]


def test_tiff_and_webp_are_pictures_and_several_in_one_file_are_not(tmp_path: Path) -> None:
    assert _pixel(_saved(tmp_path / "a.webp", "RGB", (9, 99, 9), lossless=True)) == (9, 99, 9)
    assert _pixel(_saved(tmp_path / "a.tiff", "L", 77)) == (77, 77, 77)
    pages = [Image.new("L", (6, 3), v) for v in (0, 255)]
    for name in ("b.tiff", "b.webp"):
        pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
        with pytest.raises(UnreadableImageError, match="holds 2 pictures"):
            read_image(tmp_path / name)
    (tmp_path / "c.webp").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    _saved(tmp_path / "c.gif", "L", 7)
    for name in ("c.webp", "c.gif"):
        with pytest.raises(UnreadableImageError, match="no image"):
            read_image(tmp_path / name)


Thermal = Callable[..., Path]


@pytest.fixture
def thermal(tmp_path: Path) -> Thermal:
    """A manifest of 16-bit pictures of two persons by two cameras, hundredths of a kelvin."""

    def write(
        span: str = "",
        dtype: str = "u2",
        suffix: str = "png",
        name: str = "m.csv",
        low: int = 29000,
    ) -> Path:
        rows = [["TI", "pid", "camid", "split", "TI_range"]]
        for pid in range(4):
            for camid in range(2):
                file = f"{pid}{camid}.{suffix}"
                values = np.linspace(low + 500 * pid, low + 500 * pid + 499 - camid, 32 * 16)
                _deep(tmp_path / file, values.reshape(32, 16), dtype)
                split = "train" if pid < 2 else "test"
                rows.append([file, str(pid), str(camid), split, "" if camid else span])
        path = tmp_path / name
        if path.suffix == ".json":
            path.write_text(json.dumps([dict(zip(rows[0], r, strict=True)) for r in rows[1:]]))
        else:
            with path.open("w", newline="") as out:
                csv.writer(out).writerows(rows)
        return path

    return write


def _opened(path: Path) -> OpenDataset:
    return open_dataset(str(path), load_plugins())


@pytest.mark.parametrize("name", ["m.csv", "m.json"])
def test_the_rule_is_said_checked_and_decoded(
    harness: Harness, thermal: Thermal, name: str
) -> None:
    report = harness("data", "check", thermal(name=name), "--json").json
    note = "TI: 8 files of 16-bit grey, 0..65535 as 0..255, the file's own depth"
    assert report["ok"] and note in report["notes"]
    (warning,) = report["warnings"]
    assert warning["kind"] == "few-grey-levels"
    assert "29000..30999" in warning["seen"] and "TI_range" in warning["do"]
    ranged = thermal("29000..31000", name=name)
    report = harness("data", "check", ranged, "--json").json
    assert report["ok"] and not report["warnings"]
    assert any("29000..31000 as 0..255, the set's range" in n for n in report["notes"])
    images = decode(_opened(ranged), 32, 16).images
    assert len(np.unique(images)) > 200


def test_how_files_are_read_is_part_of_the_datas_identity(thermal: Thermal) -> None:
    data = _opened(thermal())
    card = data.card.model_copy(update={"ranges": {"TI": (29000.0, 31000.0)}})
    ranged = replace(data, card=card)
    # The very same files, manifest and all, under a card's range.
    assert data.data_hash != ranged.data_hash
    said = data_summary(ranged)
    assert said["pixels"] == ["TI: 8 files of 16-bit grey, 29000..31000 as 0..255, the set's range"]
    _DataSaid.model_validate(json.loads(json.dumps(said)))
    one = decode(data, 16, 8).images, decode(ranged, 16, 8).images
    assert not np.array_equal(*one)


def test_plain_files_keep_the_hash_they_always_had(drawn: Path) -> None:
    data = _opened(drawn)
    files = sorted(drawn.rglob("*.jpg"))
    rows = [[p.relative_to(drawn).as_posix(), file_digest(p)] for p in files]
    assert data.data_hash == digest(rows) and "pixels" not in data_summary(data)


def test_a_turned_file_is_other_data_than_the_same_bytes_as_they_lie(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    path = _saved(tmp_path / "a.jpg", "RGB", (1, 2, 3), exif=exif)
    assert content_hash(tmp_path, [path]) != digest([["a.jpg", file_digest(path)]])


def test_floating_point_without_a_range_stops_before_training(
    harness: Harness, thermal: Thermal
) -> None:
    report = harness("data", "check", thermal(dtype="f4", suffix="tiff"), "--json").json
    assert len(report["problems"]) == 8 and "white of its own" in report["problems"][0]["seen"]
    ranged = thermal("28000..32000", dtype="f4", suffix="tiff")
    assert harness("data", "check", ranged, "--json").json["ok"]


def test_values_beyond_the_range_and_files_of_two_depths_are_warned_of(
    harness: Harness, thermal: Thermal, tmp_path: Path
) -> None:
    path = thermal("29000..30000")
    _saved(tmp_path / "00.png", "L", 90)
    report = harness("data", "check", path, "--json").json
    kinds = [w["kind"] for w in report["warnings"]]
    assert kinds == ["files-of-two-depths", "values-beyond-the-range"]


@pytest.mark.parametrize("span", ["5", "7..7", "9..1", "a..b", "0..inf", "1..2..3", "Image"])
def test_a_range_that_is_none_names_its_row(thermal: Thermal, span: str) -> None:
    with pytest.raises(DataError, match=r"line 2: TI_range is"):
        _opened(thermal(span)).samples("train")


def test_two_ranges_for_one_modality_are_refused(thermal: Thermal, tmp_path: Path) -> None:
    path = thermal("1..2")
    text = path.read_text().replace("10.png,1,0,train,1..2", "10.png,1,0,train,1..3")
    path.write_text(text)
    with pytest.raises(DataError, match="one range for all files"):
        try:
            _opened(path).samples("train")
        except DataError as error:
            raise DataError(error.expected, "", "") from error


def test_exchanged_files_of_one_size_and_time_are_other_data(tmp_path: Path) -> None:
    one, other = (_saved(tmp_path / f"{n}.bmp", "RGB", (n, 2, 3)) for n in (1, 2))
    for path in (one, other):
        os.utime(path, (1.6e9, 1.6e9))
    before = content_hash(tmp_path, [one, other])
    one.rename(tmp_path / "t")
    other.rename(one)
    (tmp_path / "t").rename(other)
    assert one.stat().st_size == other.stat().st_size and one.stat().st_mtime == 1.6e9
    assert content_hash(tmp_path, [one, other]) != before


def test_reread_believes_no_memory(
    harness: Harness, thermal: Thermal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.data import contents

    path = thermal("29000..31000")
    assert harness("data", "check", path, "--json").json["ok"]
    opened: list[Path] = []
    examine = contents._examine

    def counting(file: Path, open_images: bool) -> contents.Content | None:
        opened.append(file)
        return examine(file, open_images)

    monkeypatch.setattr(contents, "_examine", counting)
    harness("data", "check", path, "--json")
    assert not opened
    harness("data", "check", path, "--reread", "--json")
    assert len(opened) == 8
    opened.clear()
    data = replace(_opened(path), reread=True)
    assert data.data_hash == _opened(path).data_hash and len(opened) == 9


def test_pixels_of_an_earlier_look_are_not_believed_either(thermal: Thermal) -> None:
    path = thermal("29000..31000")
    right = decode(_opened(path), 16, 8)
    whole = np.array(right.images)
    spoilt = np.memmap(str(right.images.filename), dtype=np.uint8, mode="r+")  # type: ignore[attr-defined]
    spoilt[:] = 0
    spoilt.flush()
    assert not decode(_opened(path), 16, 8).images.any()
    assert np.array_equal(decode(replace(_opened(path), reread=True), 16, 8).images, whole)
