"""The networks are those of the paper: sizes, fields of view, paddings, first weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from harness.translate.networks import Discriminator, Generator, Mirror, initialise
from harness.translate.settings import SMALLEST


def _count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_the_sizes_are_the_published_ones() -> None:
    with torch.device("meta"):
        assert _count(Generator(64, 9)) == 11_378_179
        assert _count(Generator(64, 6)) == 7_837_699
        assert _count(Discriminator(64)) == 2_764_737


@pytest.mark.parametrize(("height", "width"), [(8, 8), (12, 20)])
def test_the_generator_keeps_the_size_and_the_range(height: int, width: int) -> None:
    made = Generator(4, 1)(torch.randn(2, 3, height, width))
    assert made.shape == (2, 3, height, width)
    assert made.abs().max() <= 1


def test_the_discriminator_sees_patches_of_70_by_70() -> None:
    model = Discriminator(2)
    # A normalisation looks at the whole map; without it the field of view shows.
    for number, layer in enumerate(model.body):
        if isinstance(layer, nn.InstanceNorm2d):
            model.body[number] = nn.Identity()
    for p in model.parameters():
        nn.init.constant_(p, 0.1)
    image = torch.rand(1, 3, 128, 128, requires_grad=True)
    verdict = model(image)
    assert verdict.shape == (1, 1, 14, 14)
    (gradient,) = torch.autograd.grad(verdict[0, 0, 7, 7], image)
    seen = gradient[0].sum(0) != 0
    assert int(seen.any(0).sum()) == int(seen.any(1).sum()) == 70


def test_the_smallest_image_is_the_smallest_that_works() -> None:
    model = Discriminator(2)
    assert model(torch.rand(1, 3, SMALLEST, SMALLEST)).numel() == 1
    with pytest.raises((RuntimeError, ValueError)):
        model(torch.rand(1, 3, SMALLEST - 4, SMALLEST))


@pytest.mark.parametrize("width", [1, 3])
def test_mirrored_padding_is_that_of_torch(width: int) -> None:
    image = torch.randn(2, 3, 5, 7, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 3, 5 + 2 * width, 7 + 2 * width, dtype=torch.float64)
    ours, theirs = Mirror(width)(image), nn.ReflectionPad2d(width)(image)
    assert torch.equal(ours, theirs)
    one, two = (torch.autograd.grad((x * weights).sum(), image)[0] for x in (ours, theirs))
    torch.testing.assert_close(one, two)


def test_first_weights_are_small_and_come_from_the_seed() -> None:
    models = [Generator(32, 2) for _ in range(3)]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        initialise(model, torch.Generator().manual_seed(seed))
    one, same, other = (m.body[1].weight for m in models)
    assert torch.equal(one, same) and not torch.equal(one, other)
    every = torch.cat(
        [p.detach().flatten() for n, p in models[0].named_parameters() if "weight" in n]
    )
    assert float(every.std()) == pytest.approx(0.02, rel=0.01)
    assert abs(float(every.mean())) < 1e-4
