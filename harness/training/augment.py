"""Augmentation of a whole batch on its device, as drawn: pad-crop, flip and erase."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.training.draws import Draws
from harness.training.noise import normal_noise, places_in


def crop_and_flip(pixels: Tensor, draws: Draws, pad: int) -> Tensor:
    """Geometric augmentation of raw pixels, as they lie in the array.

    All modalities go in one pass: on a GPU a step of few images is as long as its list of kernels.

    Args:
        pixels: (k, n, h, w, 3), any dtype.
        draws: Of these k modalities of n samples, on the same device.
        pad: The recipe's; the padding is black, pixel value 0.

    Returns:
        As `pixels`: windows of the padded images, mirrored where drawn.
    """
    shifts, flips = draws.shifts.flatten(0, 1), draws.flips.flatten()
    return _moved(pixels.flatten(0, 1), shifts, flips, pad).view(pixels.shape)


def erase(images: Tensor, draws: Draws) -> Tensor:
    """Random erasing of normalised images, in place.

    The rectangle becomes 0, the mean colour, or normal noise, for each pixel and channel its own.

    Args:
        images: (k, n, 3, h, w).
        draws: Of these k modalities of n samples, on the same device.
    """
    if draws.boxes.shape[1] == 0:
        return images
    if draws.seeds.shape[1] == 0:
        return images.masked_fill_(_inside(draws.boxes, *images.shape[-2:])[:, :, None], 0)
    return _noisy_by_box(images, draws) if images.is_cpu else _noisy_by_mask(images, draws)


def _noisy_by_mask(images: Tensor, draws: Draws) -> Tensor:
    """Noise for every pixel, of which the boxes are used: a device has no look at their sides."""
    h, w = images.shape[-2:]
    places = places_in(h, w, images.device)
    # Modality by modality: the noise of all would take as much memory as some layers do.
    for whole, boxes, seeds in zip(images, draws.boxes[:, None], draws.seeds, strict=True):
        noise = normal_noise(seeds[:, None, None, None], places)
        whole.copy_(torch.where(_inside(boxes, h, w)[0, :, None], noise, whole))
    return images


def _noisy_by_box(images: Tensor, draws: Draws) -> Tensor:
    """The same bits, where there is no device to wait for: a tenth of the pixels, as a rule."""
    places = places_in(images.shape[-2], images.shape[-1], images.device)
    boxes = draws.boxes.flatten(0, 1).long().tolist()
    for image, box, seed in zip(images.flatten(0, 1), boxes, draws.seeds.flatten(), strict=True):
        top, bottom, left, right = box
        image[:, top:bottom, left:right] = normal_noise(seed, places[:, top:bottom, left:right])
    return images


def _moved(batch: Tensor, shifts: Tensor, flips: Tensor, pad: int) -> Tensor:
    """Windows of (n, h, w, 3), copied in runs, not pixel by pixel."""
    n, h, w, channels = batch.shape
    padded = torch.nn.functional.pad(batch, (0, 0, pad, pad, pad, pad)) if pad else batch
    both = torch.cat([padded, padded.flip(2)])
    image = torch.arange(n, device=batch.device) + n * flips
    if pad == 0:
        return both.index_select(0, image)
    # The mirror image of a window is a window of the mirrored image, as far from the other side.
    left = torch.where(flips, 2 * pad - shifts[:, 1], shifts[:, 1])
    down = torch.arange(h, device=batch.device)
    lines = (image * (h + 2 * pad) + shifts[:, 0])[:, None] + down
    starts = (lines * (w + 2 * pad) + left[:, None]) * channels
    runs = both.flatten().unfold(0, w * channels, 1)
    return runs.index_select(0, starts.flatten()).view(n, h, w, channels)


def _inside(boxes: Tensor, h: int, w: int) -> Tensor:
    """(k, n, h, w) bool: which pixels lie in the boxes (k, n, 4)."""
    top, bottom, left, right = boxes[..., None].unbind(2)
    y = torch.arange(h, device=boxes.device)
    x = torch.arange(w, device=boxes.device)
    rows = (y >= top) & (y < bottom)
    columns = (x >= left) & (x < right)
    return rows[..., :, None] & columns[..., None, :]
