"""Normal noise for images, from a number of each image: the same bits on every device."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

# So many of the 32 bits of a pixel's hash choose one of 65,536 equally likely values: their
# deviation is 1 to three digits, the largest is 4.3.
_BITS = 16
_WORD = 2**32 - 1


def normal_noise(seeds: Tensor, places: Tensor) -> Tensor:
    """Standard normal numbers, float32, of the shape that seeds and places have together.

    A GPU's generator draws otherwise than a CPU's, and noise drawn on the host for an epoch would
    fill the memory. Here every number is a whole number until it is looked up in a table.

    Args:
        seeds: int64, 0..2**32 - 1, of each image.
        places: Of the pixels, from `places_in`, on the same device.
    """
    return _quantiles(places.device)[_mixed(places ^ seeds) >> (32 - _BITS)]


@cache
def places_in(h: int, w: int, device: torch.device) -> Tensor:
    """(3, h, w) int64, a number of each pixel and channel; mixed, so that runs of noise of two
    images are not the same run at two places.
    """
    return _mixed(torch.arange(3 * h * w, device=device)).view(3, h, w)


@cache
def _quantiles(device: torch.device) -> Tensor:
    """The middles of the equally likely parts of the normal distribution."""
    middles = (torch.arange(2**_BITS, dtype=torch.float64) + 0.5) / 2**_BITS
    found: Tensor = torch.special.ndtri(middles)
    return found.to(device, torch.float32)


def _mixed(x: Tensor) -> Tensor:
    """A hash of 32-bit numbers: multiplications by odd numbers below 2**31, which do not overflow
    int64, and shifts between them.
    """
    x = ((x ^ (x >> 16)) * 0x21F0AAAD) & _WORD
    x = ((x ^ (x >> 15)) * 0x735A2D97) & _WORD
    return x.bitwise_xor(x >> 15)
