"""Augmentation of a whole batch on its device: pad-crop, flip and erase."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from harness.modality import Modality
from harness.recipe import Augmentation

# Random erasing as its paper has it (Zhong et al., AAAI 2020): area and aspect of the rectangle.
_ERASE_AREA = (0.02, 0.4)
_ERASE_ASPECT = (0.3, 1 / 0.3)


def crop_and_flip(
    images: dict[Modality, Tensor], recipe: Augmentation, generator: torch.Generator
) -> dict[Modality, Tensor]:
    """Geometric augmentation of raw pixels.

    Args:
        images: By modality (n, 3, h, w), any dtype; the padding is black, pixel value 0.
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
        moved = _crop(batch, shifts, recipe.pad) if recipe.pad else batch
        out[modality] = torch.where(
            flips.to(batch.device)[:, None, None, None], moved.flip(-1), moved
        )
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


def _crop(batch: Tensor, shifts: Tensor, pad: int) -> Tensor:
    n, _, h, w = batch.shape
    padded = torch.nn.functional.pad(batch, (pad, pad, pad, pad))
    shifts = shifts.to(batch.device)
    rows = shifts[:, :1] + torch.arange(h, device=batch.device)
    columns = shifts[:, 1:] + torch.arange(w, device=batch.device)
    sample = torch.arange(n, device=batch.device)[:, None, None]
    # Indexing around the channel axis puts it last; move it back.
    return padded[sample, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _draw_boxes(batch: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """(n, 4) top, bottom, left, right; an image that is left alone has an empty box."""
    n, _, h, w = batch.shape
    u = torch.rand((n, 5), generator=generator)
    area = (_ERASE_AREA[0] + u[:, 0] * (_ERASE_AREA[1] - _ERASE_AREA[0])) * h * w
    low, high = (math.log(a) for a in _ERASE_ASPECT)
    aspect = torch.exp(low + u[:, 1] * (high - low))
    tall = torch.sqrt(area * aspect).round().clamp(1, h)
    wide = torch.sqrt(area / aspect).round().clamp(1, w)
    top = (u[:, 2] * (h - tall + 1)).floor()
    left = (u[:, 3] * (w - wide + 1)).floor()
    chosen = u[:, 4] < probability
    return torch.stack([top, top + tall * chosen, left, left + wide * chosen], dim=1)


def _inside(boxes: Tensor, batch: Tensor) -> Tensor:
    _, _, h, w = batch.shape
    top, bottom, left, right = boxes.to(batch.device)[:, :, None].unbind(1)
    y = torch.arange(h, device=batch.device)
    x = torch.arange(w, device=batch.device)
    rows = (y >= top) & (y < bottom)
    columns = (x >= left) & (x < right)
    return rows[:, None, :, None] & columns[:, None, None, :]
