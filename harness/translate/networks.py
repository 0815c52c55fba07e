"""The generator and the discriminator of CycleGAN (Zhu et al., ICCV 2017, section 7.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_SPREAD = 0.02


class Mirror(nn.Module):
    """Reflection padding by joined slices.

    The same numbers as `nn.ReflectionPad2d`, whose gradient on a GPU is added up in no fixed
    order; that of slices is, so a training there can be repeated to the bit.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """Pad the last two axes of (n, c, h, w) on all sides; h and w must exceed the width."""
        for axis in (-1, -2):
            size, width = x.shape[axis], self.width
            before = x.narrow(axis, 1, width).flip(axis)
            after = x.narrow(axis, size - width - 1, width).flip(axis)
            x = torch.cat([before, x, after], dim=axis)
        return x


class Residual(nn.Module):
    """R-k: two 3 x 3 convolutions of k channels and a way around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Mirror(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
            nn.ReLU(inplace=True),
            Mirror(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, k, h, w) to the same shape."""
        out: Tensor = x + self.body(x)
        return out


class Generator(nn.Module):
    """c7s1-64, d128, d256, R256 x blocks, u128, u64, c7s1-3, for `width` 64.

    With 9 blocks it has 11.378 million parameters, with 6 it has 7.838 million.

    Args:
        width: Channels after the first convolution.
        blocks: Residual blocks.
    """

    def __init__(self, width: int = 64, blocks: int = 9) -> None:
        super().__init__()
        layers: list[nn.Module] = [Mirror(3), *_normed(nn.Conv2d(3, width, 7), width)]
        for wide in (2 * width, 4 * width):
            layers += _normed(nn.Conv2d(wide // 2, wide, 3, 2, 1), wide)
        layers += [Residual(4 * width) for _ in range(blocks)]
        for wide in (2 * width, width):
            layers += _normed(nn.ConvTranspose2d(2 * wide, wide, 3, 2, 1, 1), wide)
        layers += [Mirror(3), nn.Conv2d(width, 3, 7), nn.Tanh()]
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) in -1..1 to the same shape and range; h and w multiples of 4, from 8."""
        out: Tensor = self.body(x)
        return out


class Discriminator(nn.Module):
    """C64-C128-C256-C512 and one more convolution: a verdict on each 70 x 70 patch.

    It has 2.765 million parameters with `width` 64. Leaky ReLUs have slope 0.2; the first layer
    is not normalised.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        for wide, stride in ((2 * width, 2), (4 * width, 2), (8 * width, 1)):
            layers += [
                nn.Conv2d(wide // 2, wide, 4, stride, 1),
                nn.InstanceNorm2d(wide),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        self.body = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) from 24 x 24 to (n, 1, h', w'): 1 for real, 0 for generated."""
        out: Tensor = self.body(x)
        return out


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Draw every convolution from N(0, 0.02) and set its bias to zero (section 7.1)."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, _SPREAD, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _normed(convolution: nn.Module, channels: int) -> list[nn.Module]:
    return [convolution, nn.InstanceNorm2d(channels), nn.ReLU(inplace=True)]
