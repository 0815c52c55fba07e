"""`harness data reconstruct`: the right pixels under the right names, whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from harness.base.errors import DataError
from harness.base.hashing import file_digest
from harness.data.reconstruct import is_whole
from harness.spec.plugins import load_plugins
from harness.training.checkpoint import save_weights
from harness.translate.apply import Translator, load_translator
from harness.translate.networks import Generator
from harness.translate.settings import Settings
from reid_datasets.reconstruct import darkened, grey, market1501
from tests.conftest import ROOT, Harness
from tests.harness.translate.conftest import KEPT


def _every_value() -> Image.Image:
    """All 256 values in each channel, in different orders."""
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    return Image.fromarray(np.stack([values, values.T, values[::-1]], axis=-1))


def test_grey_is_the_luma_three_times() -> None:
    image = _every_value()
    made = np.asarray(grey(image))
    red, green, blue = np.moveaxis(np.asarray(image).astype(np.int64), -1, 0)
    luma = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
    assert all(np.array_equal(made[..., channel], luma) for channel in range(3))


def test_darkened_keeps_forty_percent() -> None:
    image = _every_value()
    expected = np.rint(np.asarray(image) * 0.4).astype(np.uint8)
    assert np.array_equal(np.asarray(darkened(image)), expected)


def _translator(trained: Path) -> Translator:
    return load_translator(trained / "translator.safetensors", torch.device("cpu"))


@pytest.mark.parametrize("size", [(16, 32), (18, 34), (17, 33), (8, 9)])
def test_a_translation_has_the_size_of_its_image(trained: Path, size: tuple[int, int]) -> None:
    image = Image.effect_noise(size, 80).convert("RGB")
    translator = _translator(trained)
    made = translator(image)
    assert made.size == size and made.mode == "RGB"
    assert np.array_equal(np.asarray(translator(image)), np.asarray(made))


def test_a_translation_is_the_networks_own(trained: Path) -> None:
    """Without padding: decode, network, encode, written out plainly."""
    pixels = np.random.default_rng(0).integers(0, 256, (24, 28, 3), dtype=np.uint8)
    generator = Generator(4, 1)
    generator.load_state_dict(load_file(trained / "translator.safetensors"))
    with torch.no_grad():
        out = generator(torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1)[0]
    expected = ((out.permute(1, 2, 0).numpy() + 1) * 127.5).round()
    found = np.asarray(_translator(trained)(Image.fromarray(pixels)), dtype=np.float64)
    assert np.abs(found - expected).max() <= 1


def test_an_image_too_small_for_the_network(trained: Path) -> None:
    with pytest.raises(DataError, match="9 x 7"):
        _translator(trained)(Image.new("RGB", (7, 9)))


def _words(market: Path, out: Path, trained: Path) -> list[object]:
    weights = trained / "translator.safetensors"
    words: list[object] = ["data", "reconstruct", "market1501", "--root", market, "--out", out]
    return [*words, "--translator", weights]


def test_market_becomes_three_modalities(
    harness: Harness, market: Path, trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mm"
    answer = harness(*_words(market, out, trained), "--json")
    assert answer.code == 0, answer.err
    found = {p.relative_to(out).as_posix() for p in out.rglob("*.jpg")}
    assert found == {
        f"{s}/{m}/{n}" for s, names in KEPT.items() for n in names for m in ("RGB", "NI", "TI")
    }
    name = KEPT["gallery"][1]
    original = Image.open(market / "bounding_box_test" / name).convert("RGB")
    for modality, made in (
        ("RGB", darkened(original)),
        ("NI", grey(original)),
        ("TI", _translator(trained)(original)),
    ):
        made.save(tmp_path / "one.jpg", quality=95)
        assert (out / "gallery" / modality / name).read_bytes() == (
            tmp_path / "one.jpg"
        ).read_bytes()
    marker = json.loads((out / "RECONSTRUCTED.json").read_text())
    assert marker["counts"] == {"train": 2, "query": 1, "gallery": 2}
    assert not marker["published_counts"]
    assert marker["translator"]["sha256"] == file_digest(trained / "translator.safetensors")
    assert answer.json == {"out": str(out)} | marker
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []

    again = harness(*_words(market, out, trained))
    assert again.code == 0 and "nothing to do" in again.err


def test_an_interrupted_reconstruction_goes_on(market: Path, trained: Path, tmp_path: Path) -> None:
    class Stopping(Translator):
        """Gives up after two images."""

        left = 2

        def __call__(self, image: Image.Image) -> Image.Image:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            return super().__call__(image)

    good = _translator(trained)
    stopping = _translator(trained)
    stopping.__class__ = Stopping
    out, partial = tmp_path / "mm", tmp_path / ".mm.partial"
    with pytest.raises(KeyboardInterrupt):
        market1501(market, out, stopping)
    assert not out.exists()
    written = sorted(partial.rglob("*.jpg"))
    assert 6 <= len(written) < 15 and all(map(is_whole, written))
    times = {p.relative_to(partial): p.stat().st_mtime_ns for p in written[:-1]}
    written[-1].write_bytes(written[-1].read_bytes()[:-40])

    market1501(market, out, good)
    assert not partial.exists() and all(map(is_whole, out.rglob("*.jpg")))
    assert {p: (out / p).stat().st_mtime_ns for p in times} == times
    market1501(market, tmp_path / "once", good)
    files = [sorted(f.rglob("*.*")) for f in (out, tmp_path / "once")]
    assert [f.read_bytes() for f in files[0]] == [f.read_bytes() for f in files[1]]


def test_other_images_begin_anew(market: Path, trained: Path, tmp_path: Path) -> None:
    out, partial = tmp_path / "mm", tmp_path / ".mm.partial"
    good = _translator(trained)
    market1501(market, out, good)
    shutil.move(out, partial)
    first = sorted((market / "query").glob("*.jpg"))[0]
    Image.new("RGB", (20, 40)).save(first)
    market1501(market, out, good)
    assert Image.open(out / "query" / "TI" / first.name).size == (20, 40)


def test_a_folder_with_something_in_it_is_left_alone(
    harness: Harness, market: Path, trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mm"
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    answer = harness(*_words(market, out, trained), "--json")
    assert answer.error["kind"] == "DataError" and str(out) in answer.error["seen"]
    assert [p.name for p in out.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("case", ["none", "missing", "other", "direction", "shape", "unneeded"])
def test_wrong_weights_are_refused(
    harness: Harness,
    market: Path,
    trained: Path,
    tmp_path: Path,
    case: str,
) -> None:
    path, out = tmp_path / "w.safetensors", tmp_path / "mm"
    inputs = {"settings": Settings(source="TI", target="RGB", blocks=1, width=4).model_dump()}
    about = {"kind": "translator", "inputs": inputs}
    if case == "other":
        save_weights(path, Generator(4, 1), {"kind": "run"})
    elif case == "direction":
        save_weights(path, Generator(4, 1), about)
    elif case == "shape":
        save_weights(path, Generator(4, 2), about)
    words = ["data", "reconstruct", "market1501", "--root", market, "--out", out]
    if case == "unneeded":
        words[2] = "rgbnt201"
    answer = harness(*words, *([] if case == "none" else ["--translator", path]), "--json")
    told = {
        "none": "no --translator",
        "missing": "there is no file",
        "other": "holds no translator",
        "direction": "translates TI to RGB",
        "shape": "does not fit its own card",
        "unneeded": "--translator",
    }
    assert answer.code == 2 and answer.error["kind"] == "CheckpointError"
    assert told[case] in answer.error["seen"] and not out.exists()


def test_a_root_of_another_layout(
    harness: Harness, market: Path, trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mm"
    (market / "query" / "person.jpg").write_bytes(b"")
    answer = harness(*_words(market, out, trained), "--json")
    assert answer.error["kind"] == "FileNameError" and "person.jpg" in answer.error["seen"]
    (market / "query" / "person.jpg").unlink()
    sorted((market / "query").glob("*.jpg"))[0].write_bytes(b"<html>")
    answer = harness(*_words(market, out, trained), "--json")
    assert answer.error["kind"] == "UnreadableImageError"
    shutil.rmtree(market / "query")
    answer = harness(*_words(market, out, trained), "--json")
    assert answer.error["kind"] == "LayoutError" and "bounding_box_test" in answer.error["expected"]
    answer = harness(*_words(tmp_path / "gone", out, trained), "--json")
    assert answer.error["kind"] == "DatasetNotFoundError"
    words = _words(market, out, trained)
    words[2] = "market1051"
    answer = harness(*words, "--json")
    assert answer.error["do"] == "did you mean 'market1501'?"
    assert not out.exists()


def test_the_result_passes_the_check(
    harness: Harness, market: Path, trained: Path, tmp_path: Path
) -> None:
    if "market1501-mm" not in load_plugins().datasets:
        pytest.skip("no installed data set is called market1501-mm yet")
    out = tmp_path / "Market1501-MM"
    assert harness(*_words(market, out, trained)).code == 0
    answer = harness("data", "check", "market1501-mm", "--root", out, "--json")
    assert answer.json["problems"] == [] and answer.code == 0
    found = {split: row["found"]["samples"] for split, row in answer.json["splits"].items()}
    assert found == {"train": 2, "query": 1, "gallery": 2}


def test_lists_of_single_modalities(harness: Harness, drawn: Path, tmp_path: Path) -> None:
    out = tmp_path / "lists"
    words = ["data", "reconstruct", "rgbnt201", "--root", drawn, "--out", out]
    answer = harness(*words, "--json")
    assert answer.code == 0, answer.err
    assert answer.json["source"].startswith("rgbnt201-synthetic@"), "drawn, and says so"
    assert answer.json["counts"] == {
        f"{split}_{letter}.txt": count
        for split, count in (("train", 20), ("test", 16))
        for letter in "RNT"
    }
    for split, folder, first in (("train", "train_171", 1), ("test", "test", 11)):
        rows = {
            m: [line.split() for line in (out / "idx" / f"{split}_{m}.txt").open()] for m in "RNT"
        }
        for letter, modality in (("R", "RGB"), ("N", "NI"), ("T", "TI")):
            paths = [Path(path) for path, _ in rows[letter]]
            assert {p.parent for p in paths} == {Path(folder) / modality}
            assert paths == sorted(paths) and all((drawn / p).is_file() for p in paths)
            assert [int(p.name[:6]) - first for p in paths] == [int(k) for _, k in rows[letter]]
        assert [Path(p).name for p, _ in rows["R"]] == [Path(p).name for p, _ in rows["T"]]
    assert "nothing to do" in harness(*words).err
    (out / "idx" / "RECONSTRUCTED.json").write_text("{}")
    assert harness(*words, "--json").error["kind"] == "DataError"


def test_the_guide_names_only_options_that_exist(harness: Harness) -> None:
    text = (ROOT / "docs" / "reconstruction.md").read_text()
    for verb in ("train-translator", "reconstruct"):
        told = harness("data", verb, "--help").out
        lines = [line for line in text.splitlines() if line.startswith(f"harness data {verb} ")]
        options = {w for line in lines for w in line.split() if w.startswith("--")}
        assert lines and all(option in told for option in options)
