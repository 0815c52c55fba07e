"""The omni-scale network of one modality (Zhou et al., ICCV 2019, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.shared.conv_norm import ConvNorm, start_like_he
from baselines.shared.streams import Network

CHANNELS = (64, 256, 384, 512)
"""After the stem and after each of the three stages, at width 1."""
SCALES = 4
"""Streams of a block; stream t sees 2 t + 1 pixels across."""
EMBEDDING = 512


class LiteConv(nn.Module):
    """Pointwise then depthwise 3x3 convolution, batch normalisation, ReLU (Figure 3b).

    Args:
        width: Channels of input and output.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.pointwise = nn.Conv2d(width, width, 1, bias=False)
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.bn = nn.BatchNorm2d(width)

    def forward(self, features: Tensor) -> Tensor:
        """(n, width, h, w) to the same shape."""
        return torch.relu(self.bn(self.depthwise(self.pointwise(features))))


class Gate(nn.Module):
    """The aggregation gate: weights of the channels from their means (section 3.2).

    Args:
        width: Channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(width, width // 16, 1)
        self.expand = nn.Conv2d(width // 16, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """The map (n, width, h, w), each channel of each image weighted in 0..1."""
        mean = features.mean(dim=(2, 3), keepdim=True)
        return features * torch.sigmoid(self.expand(torch.relu(self.squeeze(mean))))


class OmniScaleBlock(nn.Module):
    """Residual block of four streams with growing fields, summed through one gate (Figure 4).

    Args:
        channels: Of the input.
        width: Of the output; the streams have a quarter of it.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        narrow = width // 4
        self.reduce = ConvNorm(channels, narrow)
        self.streams = nn.ModuleList(
            nn.Sequential(*(LiteConv(narrow) for _ in range(depth)))
            for depth in range(1, SCALES + 1)
        )
        self.gate = Gate(narrow)
        self.restore = ConvNorm(narrow, width, relu=False)
        same = channels == width
        self.shortcut = nn.Identity() if same else ConvNorm(channels, width, relu=False)

    def forward(self, features: Tensor) -> Tensor:
        """(n, channels, h, w) to (n, width, h, w)."""
        narrow = self.reduce(features)
        gated = [self.gate(stream(narrow)) for stream in self.streams]
        return torch.relu(self.restore(sum(gated)) + self.shortcut(features))


class Stage(nn.Module):
    """Two blocks, and where asked a transition that halves the map.

    Args:
        channels: Of the input.
        width: Of the output.
        halve: Whether the transition is there.
    """

    def __init__(self, channels: int, width: int, halve: bool) -> None:
        super().__init__()
        self.blocks = nn.Sequential(OmniScaleBlock(channels, width), OmniScaleBlock(width, width))
        self.shrink = (
            nn.Sequential(ConvNorm(width, width), nn.AvgPool2d(2)) if halve else nn.Identity()
        )

    def forward(self, features: Tensor) -> Tensor:
        """(n, channels, h, w) to (n, width, h or h // 2, w or w // 2)."""
        out: Tensor = self.shrink(self.blocks(features))
        return out


class OSNet(Network):
    """Images (n, 3, h, w) to one embedding (n, 512); made for 256 x 128.

    Args:
        width: Multiplies the channels of every layer but the embedding.
    """

    widths = (EMBEDDING,)

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        stem, *stages = (int(width * c) for c in CHANNELS)
        self.stem = ConvNorm(3, stem, 7, stride=2)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        inputs = (stem, *stages[:-1])
        self.stages = nn.Sequential(
            *(Stage(c, w, halve=w is not stages[-1]) for c, w in zip(inputs, stages, strict=True))
        )
        self.last = ConvNorm(stages[-1], stages[-1])
        self.project = nn.Linear(stages[-1], EMBEDDING)
        self.project_bn = nn.BatchNorm1d(EMBEDDING)
        start_like_he(self)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The embedding, after its ReLU."""
        features = self.last(self.stages(self.pool(self.stem(images))))
        pooled = features.mean(dim=(2, 3))
        return (torch.relu(self.project_bn(self.project(pooled))),)


TABLE = (
    ("stem.", "conv1."),
    ("stages.0.blocks.", "conv2."),
    ("stages.1.blocks.", "conv3."),
    ("stages.2.blocks.", "conv4."),
    ("stages.0.shrink.", "conv2.2."),
    ("stages.1.shrink.", "conv3.2."),
    (".reduce.", ".conv1."),
    (".streams.0.0.", ".conv2a."),
    (".streams.1.", ".conv2b."),
    (".streams.2.", ".conv2c."),
    (".streams.3.", ".conv2d."),
    (".pointwise.", ".conv1."),
    (".depthwise.", ".conv2."),
    (".gate.squeeze.", ".gate.fc1."),
    (".gate.expand.", ".gate.fc2."),
    (".restore.", ".conv3."),
    (".shortcut.", ".downsample."),
    ("last.", "conv5."),
    ("project_bn.", "fc.1."),
    ("project.", "fc.0."),
)
"""Pieces of our parameter names and torchreid's."""
