"""What chance decides of an epoch's images: drawn on the host, sent once, a part for each step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from harness.spec.recipe import Augmentation
from harness.training.sent import sent

# Random erasing as its paper has it (Zhong et al., AAAI 2020): the aspect of the rectangle.
_ERASE_ASPECT = (0.3, 1 / 0.3)
# A rectangle that does not fit is drawn again, as in torchvision, where ten tries are made.
_ERASE_TRIES = 10


class Draws(NamedTuple):
    """The draws for the k modalities of the n samples of one batch."""

    shifts: Tensor
    """(k, n, 2) int64, 0..2*pad: how far down and right of the padded image's corner to cut."""
    flips: Tensor
    """(k, n) bool, whether the image is mirrored."""
    boxes: Tensor
    """(k, n, 4) float32 top, bottom, left and right of what is erased, empty for an image left
    alone; (k, 0, 4) where the recipe erases nothing."""
    seeds: Tensor
    """(k, n) int64 below 2**32, of the noise in each image's rectangle; (k, 0) where it is filled
    with the mean colour."""


def epoch_draws(
    counts: Sequence[int],
    modalities: int,
    size: tuple[int, int],
    recipe: Augmentation,
    generator: torch.Generator,
) -> list[Draws]:
    """The draws of each batch of an epoch, on the CPU.

    Args:
        counts: The samples of each batch.
        modalities: How many images a sample has.
        size: Their height and width.
        recipe: With `joint`, one draw serves the aligned images of a sample; without it, as in
            every public repository of the field, each modality draws its own. The noise in a
            rectangle is each image's own either way.
        generator: A CPU generator, so that draws do not depend on the device. A batch takes shifts
            and flips of each modality, then rectangles of each, then seeds of noise; the next goes
            on with it.
    """
    return [_drawn(count, modalities, size, recipe, generator) for count in counts]


def draws_on(device: torch.device, draws: Sequence[Draws]) -> Iterator[Draws]:
    """An epoch's draws on the device, of which each step takes its own."""
    fields = (sent(column, device) for column in zip(*draws, strict=True))
    return (Draws(*row) for row in zip(*fields, strict=True))


def _drawn(
    count: int,
    modalities: int,
    size: tuple[int, int],
    recipe: Augmentation,
    generator: torch.Generator,
) -> Draws:
    own = range(1 if recipe.joint else modalities)
    shifts, flips = zip(*(_geometry(count, recipe, generator) for _ in own), strict=True)
    boxes, noisy = [torch.empty(0, 4)], 0
    if recipe.erase:
        boxes = [_boxes(count, size, recipe, generator) for _ in own]
        noisy = count if recipe.erase_fill == "noise" else 0
    seeds = torch.randint(2**32, (modalities, noisy), generator=generator)

    def each(drawn: Sequence[Tensor]) -> Tensor:
        found = torch.stack(list(drawn))
        return found.expand(modalities, *found.shape[1:])

    return Draws(each(shifts), each(flips), each(boxes), seeds)


def _geometry(
    count: int, recipe: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    # Both are always drawn, so that changing one option leaves the other's draws alone.
    shifts = torch.randint(0, 2 * recipe.pad + 1, (count, 2), generator=generator)
    flips = torch.rand(count, generator=generator) < recipe.flip
    return shifts, flips


def _boxes(
    count: int, size: tuple[int, int], recipe: Augmentation, generator: torch.Generator
) -> Tensor:
    """(count, 4) top, bottom, left, right; an image that is left alone has an empty box."""
    h, w = size
    u = torch.rand((count, 5), generator=generator)
    for _ in range(_ERASE_TRIES):
        tall, wide = _sides(u, h, w, recipe.erase_area)
        fits = (tall < h) & (wide < w)
        if fits.all():
            break
        # The last column, whether the image is erased at all, was drawn once and for good.
        again = torch.rand((count, 4), generator=generator)
        u[:, :4] = torch.where(fits[:, None], u[:, :4], again)
    top = (u[:, 2] * (h - tall + 1)).floor()
    left = (u[:, 3] * (w - wide + 1)).floor()
    chosen = (u[:, 4] < recipe.erase) & fits
    return torch.stack([top, top + tall * chosen, left, left + wide * chosen], dim=1)


def _sides(u: Tensor, h: int, w: int, areas: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Height and width of rectangles of uniform area and log-uniform aspect."""
    area = (areas[0] + u[:, 0] * (areas[1] - areas[0])) * h * w
    low, high = (math.log(a) for a in _ERASE_ASPECT)
    aspect = torch.exp(low + u[:, 1] * (high - low))
    return (area * aspect).sqrt().round(), (area / aspect).sqrt().round()
