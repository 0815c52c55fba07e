"""The parts of HA-CNN: inception blocks, soft attention, and regions (Li et al., CVPR 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.shared.conv_norm import ConvNorm
from harness.training.numerics import full_precision

REGIONS = 4


def _conv(channels: int, width: int, kernel: int = 1, stride: int = 1) -> ConvNorm:
    return ConvNorm(channels, width, kernel, stride, bias=True)


class InceptionA(nn.Module):
    """Four branches of a quarter of the channels each; keeps the size.

    Args:
        channels: Of the input.
        width: Of the output.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        quarter = width // 4
        wide = [
            nn.Sequential(_conv(channels, quarter), _conv(quarter, quarter, 3)) for _ in range(3)
        ]
        pooled = nn.Sequential(nn.AvgPool2d(3, 1, 1), _conv(channels, quarter))
        self.branches = nn.ModuleList([*wide, pooled])

    def forward(self, features: Tensor) -> Tensor:
        """(n, channels, h, w) to (n, width, h, w)."""
        return torch.cat([branch(features) for branch in self.branches], dim=1)


class InceptionB(nn.Module):
    """Three branches of a quarter, a quarter and a half of the channels; halves the size.

    Args:
        channels: Of the input.
        width: Of the output.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        quarter = width // 4
        self.branches = nn.ModuleList(
            [
                nn.Sequential(_conv(channels, quarter), _conv(quarter, quarter, 3, 2)),
                nn.Sequential(
                    _conv(channels, quarter),
                    _conv(quarter, quarter, 3),
                    _conv(quarter, quarter, 3, 2),
                ),
                nn.Sequential(nn.MaxPool2d(3, 2, 1), _conv(channels, 2 * quarter)),
            ]
        )

    def forward(self, features: Tensor) -> Tensor:
        """(n, channels, h, w) to (n, width, ceil(h / 2), ceil(w / 2))."""
        return torch.cat([branch(features) for branch in self.branches], dim=1)


class SoftAttention(nn.Module):
    """Weights of every pixel and channel: spatial times channel attention (section 3.1, I).

    Args:
        channels: Of the map; a multiple of 16.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spatial = nn.ModuleList([_conv(1, 1, 3, 2), _conv(1, 1)])
        self.channel = nn.Sequential(
            _conv(channels, channels // 16), _conv(channels // 16, channels)
        )
        self.mix = _conv(channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Weights (n, channels, h, w) in 0.5..1, for even h and w.

        They never fall below a half, because a ReLU stands before the sigmoid in the public code.
        """
        shrink, scale = self.spatial
        small = shrink(features.mean(dim=1, keepdim=True))
        spatial = scale(_resized(small, (2 * small.shape[2], 2 * small.shape[3])))
        channel = self.channel(features.mean(dim=(2, 3), keepdim=True))
        return torch.sigmoid(self.mix(spatial * channel))


class Regions(nn.Module):
    """Hard attention: where the four regions of an image are (section 3.1, II).

    A region is as wide as the image and a quarter as high; only its place is learnt. At the
    start the regions are four stripes from top to bottom, whatever the image.

    Args:
        channels: Of the map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.place = nn.Linear(channels, 2 * REGIONS)
        nn.init.zeros_(self.place.weight)
        with torch.no_grad():
            self.place.bias.copy_(torch.tensor([0, -0.75, 0, -0.25, 0, 0.25, 0, 0.75]))

    def forward(self, features: Tensor) -> Tensor:
        """The shifts (n, 4, 2) to the right and down, in -1..1 of half the image."""
        shifts = torch.tanh(self.place(features.mean(dim=(2, 3))))
        return shifts.view(-1, REGIONS, 2)


def cut_out(features: Tensor, shift: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    """One region of each image, resized; what lies outside of the image is zero.

    Args:
        features: (n, c, h, w).
        shift: (n, 2), to the right and down.
        size: (height, width) of the result.
        align_corners: Whether -1 and 1 are the centres of the outermost pixels or their edges.

    Returns:
        (n, c, *size).
    """
    wide = torch.promote_types(features.dtype, torch.float32)
    # Eight bits of a place would be off by half a pixel.
    with full_precision(features.device):
        # made on the device, since numbers sent to it would be waited for
        scale = torch.eye(2, dtype=wide, device=features.device)
        scale[1] /= REGIONS
        place = torch.cat([scale.expand(len(shift), 2, 2), shift.unsqueeze(2).to(wide)], dim=2)
        grid = functional.affine_grid(place, list(features.shape), align_corners=align_corners)
        region = functional.grid_sample(features.to(wide), grid, align_corners=align_corners)
    return _resized(region.to(features.dtype), size)


def _resized(features: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(features, size, mode="bilinear", align_corners=True)
