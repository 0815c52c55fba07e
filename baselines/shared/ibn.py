"""IBN-a: instance and batch normalisation side by side in the first stages of a ResNet."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SUFFIX = "_ibn_a"

PUBLIC_WEIGHTS = {
    "resnet50_ibn_a": (
        "https://github.com/XingangPan/IBN-Net/releases/download/v1.0/resnet50_ibn_a-d9d0bb7b.pth"
    )
}
"""The authors' ImageNet weights; the file's name ends in the start of its SHA-256."""


class InstanceBatchNorm(nn.Module):
    """IBN-a (Pan et al. 2018, section 3.2): half the channels per image, the rest per batch.

    Parameters are named `IN` and `BN` as in the authors' checkpoints.

    Args:
        channels: c; the first c // 2 are normalised per image.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.per_image = channels // 2
        self.IN = nn.InstanceNorm2d(self.per_image, affine=True)
        self.BN = nn.BatchNorm2d(channels - self.per_image)

    def forward(self, features: Tensor) -> Tensor:
        """(n, c, h, w) to the same shape."""
        return torch.cat(
            [self.IN(features[:, : self.per_image]), self.BN(features[:, self.per_image :])], 1
        )


def put_ibn_a(body: nn.Module) -> None:
    """Replaces the first normalisation of every block of stages 1 to 3 of a timm ResNet in place.

    Its names stay those of torchvision, so the authors' checkpoints load without renaming.
    """
    for stage in ("layer1", "layer2", "layer3"):
        for block in body.get_submodule(stage).children():
            channels = block.get_submodule("conv1").out_channels
            assert isinstance(channels, int)
            block.bn1 = InstanceBatchNorm(channels)
