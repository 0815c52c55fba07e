"""What a method is shown: nothing of an absent modality, and the protocol's changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchvision import transforms

from harness.data.arrays import ImageArrays
from harness.spec.corruption import Corruption
from harness.spec.missing import RandomMissing
from harness.spec.modality import MODALITIES
from harness.spec.protocol import Change
from harness.spec.recipe import Augmentation
from harness.training.batches import Batches, normalised
from harness.training.pixels import Pixels, Place
from tests.harness.training.made import a_recipe

COUNT = 9
NAMES = tuple(f"{i}.jpg" for i in range(COUNT))
ROWS = np.arange(COUNT)
RECIPE = a_recipe()


def _batches(present: NDArray[np.bool_] | None = None, poison: int | None = None) -> Batches:
    pixels = np.random.default_rng(0).integers(0, 256, (COUNT, 3, 32, 16, 3), dtype=np.uint8)
    there = np.ones((COUNT, 3), dtype=bool) if present is None else present
    if poison is not None:
        pixels[:, poison] = 255 - pixels[:, poison]
    rows = {"train": ROWS, "query": ROWS, "gallery": ROWS}
    arrays = ImageArrays(pixels, there, MODALITIES, rows, NAMES, "key")  # type: ignore[arg-type]
    return Batches(arrays, RECIPE, torch.device("cpu"))


def test_a_modality_the_side_lacks_is_no_key() -> None:
    batch = _batches().test(ROWS, ("RGB", "TI"))
    assert list(batch.images) == list(batch.present) == ["RGB", "TI"]
    assert (batch.pids == -1).all()


def test_absent_images_are_zero_whatever_the_array_holds() -> None:
    present = np.ones((COUNT, 3), dtype=bool)
    present[2:5, 1] = False
    batch = _batches(present).test(ROWS, MODALITIES)
    assert batch.present["NI"].tolist() == present[:, 1].tolist()
    assert (batch.images["NI"][2:5] == 0).all() and (batch.images["NI"][5:] != 0).any()
    other = _batches(present, poison=1).test(ROWS, MODALITIES)
    assert torch.equal(batch.images["NI"][2:5], other.images["NI"][2:5])


def test_random_missing_follows_the_fixed_masks() -> None:
    rule = RandomMissing(percent=50)
    batch = _batches().test(ROWS, MODALITIES, NAMES, Change(random_missing=rule))
    for i, name in enumerate(NAMES):
        kept = rule.kept(name, MODALITIES)
        for m in MODALITIES:
            assert bool(batch.present[m][i]) is (m in kept)
            assert bool((batch.images[m][i] == 0).all()) is (m not in kept)


def test_random_missing_never_takes_the_last_image_a_sample_has() -> None:
    present = np.zeros((COUNT, 3), dtype=bool)
    present[:, 2] = True
    change = Change(random_missing=RandomMissing(percent=99))
    assert _batches(present).test(ROWS, MODALITIES, NAMES, change).present["TI"].all()


@pytest.mark.parametrize("mode", ["independent", "correlated"])
def test_corruption_is_the_same_in_every_batch(mode: str) -> None:
    spec = Corruption.model_validate({"kind": "mixed", "severity": "mixed", "mode": mode})
    change, batches = Change(None, spec), _batches()
    whole = batches.test(ROWS, MODALITIES, NAMES, change)
    clean = batches.test(ROWS, MODALITIES)
    for i in reversed(range(COUNT)):
        one = batches.test(ROWS[i : i + 1], MODALITIES, NAMES[i : i + 1], change)
        for m in MODALITIES:
            assert torch.equal(one.images[m][0], whole.images[m][i])
            assert not torch.equal(one.images[m][0], clean.images[m][i])


def test_absent_stays_absent_under_corruption() -> None:
    change = Change(RandomMissing(percent=50), Corruption(kind="fog", severity=5))
    batch = _batches().test(ROWS, MODALITIES, NAMES, change)
    for m in MODALITIES:
        assert (batch.images[m][~batch.present[m]] == 0).all()


def _training(batches: Batches, seed: int = 0) -> list[torch.Tensor]:
    """Six batches of a plan, all of a batch's tensors in one row each."""
    plan = [np.random.default_rng(i).choice(COUNT, 4) for i in range(6)]
    draw = torch.Generator().manual_seed(seed)
    return [
        torch.stack([*batch.images.values()])
        for batch in batches.epoch(plan, plan, MODALITIES, draw)
    ]


AUGMENTED = RECIPE.model_copy(update={"augmentation": Augmentation(pad=2, erase=0.5)})


@pytest.mark.parametrize("place", ["mapped", "resident", "streamed"])
def test_batches_are_the_same_wherever_the_pixels_lie(place: Place) -> None:
    batches = replace(_batches(), recipe=AUGMENTED)
    usual = _training(batches)
    moved = replace(batches)
    vars(moved)["pixels"] = Pixels(moved.arrays.images, moved.device, place)
    assert all(torch.equal(a, b) for a, b in zip(usual, _training(moved), strict=True))


def test_an_epoch_is_its_batches_one_by_one() -> None:
    batches, draw = replace(_batches(), recipe=AUGMENTED), torch.Generator().manual_seed(0)
    plan = [np.random.default_rng(i).choice(COUNT, 4) for i in range(6)]
    for rows, whole in zip(plan, _training(batches), strict=True):
        alone = batches.training(rows, rows, MODALITIES, draw)
        assert torch.equal(torch.stack([*alone.images.values()]), whole)
        assert alone.pids.tolist() == rows.tolist()


def test_fast_batches_lie_otherwise_in_memory_and_hold_the_same_numbers() -> None:
    exact = replace(_batches(), recipe=AUGMENTED)
    fast = replace(exact, recipe=AUGMENTED.model_copy(update={"mode": "fast"}))
    assert all(torch.equal(a, b) for a, b in zip(_training(exact), _training(fast), strict=True))
    usual, other = (b.test(ROWS, MODALITIES).images["NI"] for b in (exact, fast))
    assert usual.is_contiguous() and torch.equal(usual, other)
    assert other.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_pixels_are_normalised_to_torchvisions_digits(layout: torch.memory_format) -> None:
    every = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    mean, std = RECIPE.input.mean, RECIPE.input.std
    expected = transforms.Normalize(mean, std)(transforms.ToTensor()(every))
    found = normalised(torch.from_numpy(every).permute(2, 0, 1)[None], mean, std, layout)[0]
    assert torch.equal(found, expected)
