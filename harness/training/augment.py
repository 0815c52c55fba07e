"""Augmentation of a whole batch on its device: pad-crop, flip and erase."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from harness.spec.modality import Modality
from harness.spec.recipe import Augmentation

# Random erasing as its paper has it (Zhong et al., AAAI 2020): area and aspect of the rectangle.
_ERASE_AREA = (0.02, 0.4)
_ERASE_ASPECT = (0.3, 1 / 0.3)
# A rectangle that does not fit is drawn again, as in torchvision, where ten tries are made.
_ERASE_TRIES = 10


def crop_and_flip(
    images: dict[Modality, Tensor], recipe: Augmentation, generator: torch.Generator
) -> dict[Modality, Tensor]:
    """Geometric augmentation of raw pixels, as they lie in the array.

    Args:
        images: By modality (n, h, w, 3), any dtype; the padding is black, pixel value 0.
        recipe: With `joint`, one draw serves the aligned images of a sample; without it, as in
            every public repository of the field, each modality draws its own.
        generator: A CPU generator, so that draws do not depend on the device.
    """
    count = next(iter(images.values())).shape[0]
    out, drawn = {}, None
    for modality, batch in images.items():
        if drawn is None or not recipe.joint:
            drawn = _draw_geometry(count, recipe, generator)
        shifts, flips = drawn
        out[modality] = _moved(batch, shifts, flips, recipe.pad)
    return out


def erase(
    images: dict[Modality, Tensor], recipe: Augmentation, generator: torch.Generator
) -> dict[Modality, Tensor]:
    """Random erasing of normalised images; the rectangle becomes 0, the mean colour."""
    if recipe.erase == 0:
        return images
    out, boxes = {}, None
    for modality, batch in images.items():
        if boxes is None or not recipe.joint:
            boxes = _draw_boxes(batch, recipe.erase, generator)
        out[modality] = batch.masked_fill(_inside(boxes, batch), 0)
    return out


def _draw_geometry(
    count: int, recipe: Augmentation, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    # Both are always drawn, so that changing one option leaves the other's draws alone.
    shifts = torch.randint(0, 2 * recipe.pad + 1, (count, 2), generator=generator)
    flips = torch.rand(count, generator=generator) < recipe.flip
    return shifts, flips


def _moved(batch: Tensor, shifts: Tensor, flips: Tensor, pad: int) -> Tensor:
    """Windows of the padded images, mirrored where drawn; copied in runs, not pixel by pixel."""
    n, h, w, channels = batch.shape
    padded = torch.nn.functional.pad(batch, (0, 0, pad, pad, pad, pad)) if pad else batch
    both = torch.cat([padded, padded.flip(2)])
    image = torch.arange(n) + n * flips
    if pad == 0:
        return both.index_select(0, image.to(batch.device))
    # The mirror image of a window is a window of the mirrored image, as far from the other side.
    left = torch.where(flips, 2 * pad - shifts[:, 1], shifts[:, 1])
    lines = (image * (h + 2 * pad) + shifts[:, 0])[:, None] + torch.arange(h)
    starts = (lines * (w + 2 * pad) + left[:, None]) * channels
    runs = both.flatten().unfold(0, w * channels, 1)
    return runs.index_select(0, starts.flatten().to(batch.device)).view(n, h, w, channels)


def _draw_boxes(batch: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """(n, 4) top, bottom, left, right; an image that is left alone has an empty box."""
    n, _, h, w = batch.shape
    u = torch.rand((n, 5), generator=generator)
    for _ in range(_ERASE_TRIES):
        tall, wide = _sides(u, h, w)
        fits = (tall < h) & (wide < w)
        if fits.all():
            break
        # The last column, whether the image is erased at all, was drawn once and for good.
        u[:, :4] = torch.where(fits[:, None], u[:, :4], torch.rand((n, 4), generator=generator))
    top = (u[:, 2] * (h - tall + 1)).floor()
    left = (u[:, 3] * (w - wide + 1)).floor()
    chosen = (u[:, 4] < probability) & fits
    return torch.stack([top, top + tall * chosen, left, left + wide * chosen], dim=1)


def _sides(u: Tensor, h: int, w: int) -> tuple[Tensor, Tensor]:
    """Height and width of rectangles of uniform area and log-uniform aspect."""
    area = (_ERASE_AREA[0] + u[:, 0] * (_ERASE_AREA[1] - _ERASE_AREA[0])) * h * w
    low, high = (math.log(a) for a in _ERASE_ASPECT)
    aspect = torch.exp(low + u[:, 1] * (high - low))
    return (area * aspect).sqrt().round(), (area / aspect).sqrt().round()


def _inside(boxes: Tensor, batch: Tensor) -> Tensor:
    _, _, h, w = batch.shape
    top, bottom, left, right = boxes.to(batch.device)[:, :, None].unbind(1)
    y = torch.arange(h, device=batch.device)
    x = torch.arange(w, device=batch.device)
    rows = (y >= top) & (y < bottom)
    columns = (x >= left) & (x < right)
    return rows[:, None, :, None] & columns[:, None, None, :]
