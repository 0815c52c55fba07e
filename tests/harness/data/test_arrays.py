"""Decode once: the pixels of the authors' transform, kept and continued."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from harness.base.errors import UnreadableImageError
from harness.data import arrays
from harness.data.images import read_image
from harness.data.open import open_dataset
from harness.spec.plugins import load_plugins
from harness.spec.recipe import Input
from harness.training.batches import normalised
from tests.conftest import SHARED

GOLDEN = SHARED / "golden" / "transforms.npz"


def _golden_cases() -> list[str]:
    if not GOLDEN.exists():
        return []
    return sorted({k.split(".")[0] for k in np.load(GOLDEN).files if k.startswith("img")})


@pytest.mark.skipif(not GOLDEN.exists(), reason="the golden numbers are not on this machine")
@pytest.mark.parametrize("case", _golden_cases())
def test_pixels_equal_the_authors_transform(case: str) -> None:
    golden = np.load(GOLDEN)
    seed, width, height = (int(v) for v in golden[f"{case}.seed_w_h"])
    shape = (height, width) if case.endswith("_L") else (height, width, 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    found = arrays.resized(Image.fromarray(pixels).convert("RGB"), 256, 128)
    assert zlib.crc32(np.ascontiguousarray(found).tobytes()) == int(golden[f"{case}.resized_crc32"])
    raw = torch.from_numpy(found.copy()).permute(2, 0, 1)[None]
    settings = Input()
    image = normalised(raw, settings.mean, settings.std)[0]
    np.testing.assert_array_equal(image.numpy()[:, ::8, ::8], golden[f"{case}.norm_sub8"])


def test_rows_hold_the_images_of_their_samples(drawn: Path) -> None:
    data = open_dataset(str(drawn), load_plugins())
    found = arrays.decode(data, 64, 32)
    assert found.images.shape == (36, 3, 64, 32, 3) and found.present.all()
    for split in ("train", "query", "gallery"):
        samples = data.samples(split)  # type: ignore[arg-type]
        assert len(found.rows[split]) == len(samples)  # type: ignore[index]
        for row, sample in list(zip(found.rows[split], samples, strict=True))[::5]:  # type: ignore[index]
            for axis, modality in enumerate(found.modalities):
                expected = arrays.resized(read_image(sample.paths[modality]), 64, 32)
                np.testing.assert_array_equal(found.images[row, axis], expected)


def test_bicubic_is_an_array_of_its_own_of_the_splits_asked_for(drawn: Path) -> None:
    data = open_dataset(str(drawn), load_plugins())
    usual = arrays.decode(data, 40, 20)
    found = arrays.decode(data, 40, 20, "bicubic", ("train",))
    assert set(found.rows) == {"train"} and len(found.images) == len(data.samples("train"))
    sample, row = data.samples("train")[3], found.rows["train"][3]
    for axis, modality in enumerate(found.modalities):
        picture = read_image(sample.paths[modality])
        expected = np.asarray(picture.resize((20, 40), Image.Resampling.BICUBIC))
        np.testing.assert_array_equal(found.images[row, axis], expected)
    other = usual.images[usual.rows["train"][3]]
    assert found.key != usual.key and not np.array_equal(found.images[row], other)


def test_a_second_call_decodes_nothing(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = open_dataset(str(drawn), load_plugins())
    first = arrays.decode(data, 40, 20)
    monkeypatch.setattr(arrays, "read_image", lambda path: pytest.fail(f"decoded {path} again"))
    again = arrays.decode(data, 40, 20)
    assert again.key == first.key
    np.testing.assert_array_equal(again.images, first.images)


def test_an_interrupted_decoding_goes_on(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = open_dataset(str(drawn), load_plugins())
    whole = arrays.decode(data, 48, 24)
    folder = arrays.cache_folder() / "arrays" / whole.key[:24]
    done = np.memmap(folder / "done.u8", dtype=np.uint8, mode="r+")
    done[5:9] = 0
    done.flush()
    opened: list[Path] = []

    def counting(path: Path) -> Image.Image:
        opened.append(path)
        return read_image(path)

    monkeypatch.setattr(arrays, "read_image", counting)
    arrays.decode(data, 48, 24)
    assert len(opened) == 4 * 3


def test_a_bad_file_names_itself_and_keeps_the_rest(damaged: Path) -> None:
    path = sorted((damaged / "test" / "NI").iterdir())[-1]
    good = path.read_bytes()
    path.write_bytes(good[:300])
    data = open_dataset(str(damaged), load_plugins())
    with pytest.raises(UnreadableImageError, match=path.name):
        arrays.decode(data, 32, 16)


def test_the_data_hash_sees_a_changed_byte(damaged: Path) -> None:
    before = open_dataset(str(damaged), load_plugins())
    hashes = before.data_hash, before.file_list_hash
    path = sorted((damaged / "test" / "RGB").iterdir())[0]
    path.write_bytes(path.read_bytes() + b"\0")
    after = open_dataset(str(damaged), load_plugins())
    assert after.data_hash != hashes[0] and after.file_list_hash == hashes[1]
