"""Noise in erased rectangles beside the same thing computed pixel by pixel in plain Python."""

from __future__ import annotations

from statistics import NormalDist

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from harness.spec.recipe import Augmentation
from harness.training import augment
from harness.training.augment import erase
from harness.training.draws import Draws, epoch_draws
from harness.training.noise import normal_noise, places_in

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
CPU = torch.device("cpu")
NOISE = Augmentation(erase=0.7, erase_fill="noise", erase_area=(0.02, 1 / 3))


def _mixed(x: int) -> int:
    x = ((x ^ x >> 16) * 0x21F0AAAD) % 2**32
    x = ((x ^ x >> 15) * 0x735A2D97) % 2**32
    return x ^ x >> 15


def _value(seed: int, place: int) -> float:
    """The noise of a pixel and channel: one of 65,536 equally likely values."""
    return NormalDist().inv_cdf((_mixed(_mixed(place) ^ seed) // 65536 + 0.5) / 65536)


def _plain(images: Tensor, draws: Draws) -> Tensor:
    out = images.clone()
    k, n, channels, h, w = images.shape
    for a, i in ((a, i) for a in range(k) for i in range(n)):
        top, bottom, left, right = map(int, draws.boxes[a, i])
        for c in range(channels):
            for y in range(top, bottom):
                for x in range(left, right):
                    out[a, i, c, y, x] = _value(int(draws.seeds[a, i]), (c * h + y) * w + x)
    return out


def _drawn(count: int, size: tuple[int, int], recipe: Augmentation, seed: int) -> Draws:
    return epoch_draws([count], 2, size, recipe, torch.Generator().manual_seed(seed))[0]


@given(
    seed=st.integers(0, 2**31),
    count=st.integers(1, 3),
    size=st.sampled_from([(9, 6), (6, 9), (12, 5)]),
    joint=st.booleans(),
    device=st.sampled_from(DEVICES),
)
@settings(max_examples=25, deadline=None)
def test_the_batch_is_what_plain_python_gives(
    seed: int, count: int, size: tuple[int, int], joint: bool, device: str
) -> None:
    recipe = NOISE.model_copy(update={"joint": joint})
    draws = _drawn(count, size, recipe, seed)
    images = torch.full((2, count, 3, *size), 9.0)
    there = Draws(*(field.to(device) for field in draws))
    found = erase(images.clone().to(device), there).cpu()
    torch.testing.assert_close(found, _plain(images, draws), rtol=1e-5, atol=1e-6)
    assert torch.equal(augment._noisy_by_mask(images.clone(), draws), found)
    if joint:
        assert torch.equal(found[0] == 9, found[1] == 9) and not torch.equal(*draws.seeds)


@pytest.mark.parametrize("by", [augment._noisy_by_box, augment._noisy_by_mask])
def test_images_laid_out_by_channel_last_are_erased_alike(by: object) -> None:
    assert callable(by)
    draws = _drawn(5, (12, 8), NOISE, 1)
    flat = torch.full((10, 3, 12, 8), 9.0)
    usual, other = flat.clone(), flat.to(memory_format=torch.channels_last)
    for images in (usual, other):
        by(images.view(2, 5, 3, 12, 8), draws)
    assert torch.equal(usual, other) and (usual != 9).any()


def test_filling_with_noise_leaves_the_other_draws_alone() -> None:
    """Rectangles, flips and crops are those of the same seed without it."""
    plain = NOISE.model_copy(update={"erase_fill": "mean"})
    noisy, mean = (_drawn(6, (16, 8), r, 3) for r in (NOISE, plain))
    assert all(torch.equal(a, b) for a, b in zip(noisy[:3], mean[:3], strict=True))
    assert noisy.seeds.shape == (2, 6) and mean.seeds.shape == (2, 0)
    assert noisy.seeds.unique().numel() == 12


def test_it_is_normal_and_each_pixels_own() -> None:
    """Of 2 million numbers: moments within five of their standard errors, no correlations."""
    seeds = torch.arange(40)[:, None, None, None]
    found = normal_noise(seeds, places_in(128, 128, CPU)).double()
    error = found.numel() ** -0.5
    assert abs(found.mean()) < 5 * error
    assert abs(found.var() - 1) < 5 * error * 2**0.5 + 1e-3
    assert abs((found**4).mean() - 3) < 5 * error * 96**0.5 + 1e-2
    for neighbours in (
        found[1:] * found[:-1],  # of images whose seeds follow each other
        found[:, 1:] * found[:, :-1],  # of channels
        found[:, :, 1:] * found[:, :, :-1],
        found[..., 1:] * found[..., :-1],
    ):
        assert abs(neighbours.mean()) < 5 * error * 1.1
    below = (found.flatten()[:, None] < torch.tensor([-2.0, -1.0, 0.5])).double().mean(0)
    wanted = [NormalDist().cdf(v) for v in (-2.0, -1.0, 0.5)]
    assert below.tolist() == pytest.approx(wanted, abs=3 * error)
