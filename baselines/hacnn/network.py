"""The harmonious attention network of one modality (Li et al., CVPR 2018, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.hacnn.blocks import REGIONS, InceptionA, InceptionB, Regions, SoftAttention, cut_out
from baselines.shared.conv_norm import ConvNorm
from baselines.shared.streams import Network
from harness.base.errors import RecipeError

INPUT = (160, 64)
STEM = 32
CHANNELS = (128, 256, 384)
SIZES = ((24, 28), (12, 14), (6, 7))
"""To what the regions of each stage are resized; that of a stage fits the one before, halved."""
EMBEDDING = 512


class Stage(nn.Module):
    """Two inception blocks, then attention to pixels and channels and to regions.

    Args:
        channels: Of the input.
        width: Of the output.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.widen = InceptionA(channels, width)
        self.shrink = InceptionB(width, width)
        self.attend = SoftAttention(width)
        self.regions = Regions(width)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The attended map (n, width, h / 2, w / 2) and where the regions are, (n, 4, 2)."""
        seen = self.shrink(self.widen(features))
        return seen * self.attend(seen), self.regions(seen)


class Head(nn.Module):
    """Linear, batch normalisation, ReLU: (n, width) to (n, 512).

    Args:
        width: Of the input.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, EMBEDDING)
        self.bn = nn.BatchNorm1d(EMBEDDING)

    def forward(self, features: Tensor) -> Tensor:
        """The embedding."""
        return torch.relu(self.bn(self.linear(features)))


class HACNN(Network):
    """Images (n, 3, 160, 64) to a global and a local embedding, each (n, 512).

    Layers start from PyTorch's defaults, as in the public code.

    Args:
        align_corners: How regions are sampled, see `HACNNConfig`.
    """

    widths = (EMBEDDING, EMBEDDING)
    normalised = True

    def __init__(self, align_corners: bool = False) -> None:
        super().__init__()
        self.align_corners = align_corners
        inputs = (STEM, *CHANNELS[:-1])
        self.stem = ConvNorm(3, STEM, 3, stride=2, bias=True)
        self.stages = nn.ModuleList(Stage(c, w) for c, w in zip(inputs, CHANNELS, strict=True))
        self.local = nn.ModuleList(InceptionB(c, w) for c, w in zip(inputs, CHANNELS, strict=True))
        self.global_head = Head(CHANNELS[-1])
        self.local_head = Head(REGIONS * CHANNELS[-1])

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The two embeddings, not normalised.

        Raises:
            RecipeError: The images have another size; the regions fit no other.
        """
        if tuple(images.shape[2:]) != INPUT:
            raise RecipeError(
                f"images of {images.shape[2]} x {images.shape[3]} for HA-CNN",
                "height 160 and width 64; the sizes of its regions fit no other",
                "leave input.height and input.width as they are",
            )
        features = self.stem(images)
        local: list[Tensor] = []
        for number, stage in enumerate(self.stages):
            attended, shifts = stage(features)
            local = [
                self._region(number, features, shifts[:, i], local[i] if local else None)
                for i in range(REGIONS)
            ]
            features = attended
        parts = torch.cat([region.mean(dim=(2, 3)) for region in local], dim=1)
        return self.global_head(features.mean(dim=(2, 3))), self.local_head(parts)

    def _region(
        self, number: int, features: Tensor, shift: Tensor, before: Tensor | None
    ) -> Tensor:
        """One region of a stage; each passes alone, so that it is normalised by itself."""
        region = cut_out(features, shift, SIZES[number], self.align_corners)
        out: Tensor = self.local[number](region if before is None else region + before)
        return out


TABLE = (
    ("stem.", "conv."),
    *(
        pair
        for i in range(3)
        for pair in (
            (f"stages.{i}.widen.", f"inception{i + 1}.0."),
            (f"stages.{i}.shrink.", f"inception{i + 1}.1."),
            (f"stages.{i}.attend.", f"ha{i + 1}.soft_attn."),
            (f"stages.{i}.regions.place.", f"ha{i + 1}.hard_attn.fc."),
            (f"local.{i}.", f"local_conv{i + 1}."),
        )
    ),
    (".branches.0.", ".stream1."),
    (".branches.1.", ".stream2."),
    (".branches.2.", ".stream3."),
    (".branches.3.", ".stream4."),
    (".spatial.0.", ".spatial_attn.conv1."),
    (".spatial.1.", ".spatial_attn.conv2."),
    (".channel.0.", ".channel_attn.conv1."),
    (".channel.1.", ".channel_attn.conv2."),
    (".mix.", ".conv."),
    ("global_head.linear.", "fc_global.0."),
    ("global_head.bn.", "fc_global.1."),
    ("local_head.linear.", "fc_local.0."),
    ("local_head.bn.", "fc_local.1."),
)
"""Pieces of our parameter names and torchreid's."""
