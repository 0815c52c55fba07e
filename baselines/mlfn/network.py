"""The multi-level factorisation net of one modality (Chang et al., CVPR 2018, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.shared.conv_norm import ConvNorm, start_like_he
from baselines.shared.streams import Network

FACTORS = 32
"""Factor modules of a block."""
STEM = 64
STAGES = ((3, 256, 128, 64), (4, 512, 256, 128), (6, 1024, 512, 128), (3, 2048, 512, 128))
"""Blocks, channels, and the two hidden widths of the factor selection, stage by stage."""
EMBEDDING = 1024


class FactorBlock(nn.Module):
    """Residual block of 32 factor modules, each switched by the factor selection.

    The modules are the groups of one grouped convolution.

    Args:
        channels: Of the input.
        width: Of the output.
        hidden: Widths of the two hidden layers of the selection.
        stride: Of the grouped convolution and the shortcut.
    """

    def __init__(self, channels: int, width: int, hidden: tuple[int, int], stride: int) -> None:
        super().__init__()
        self.reduce = ConvNorm(channels, width // 2)
        self.group = ConvNorm(width // 2, width // 2, 3, stride, groups=FACTORS)
        self.restore = ConvNorm(width // 2, width)
        self.select = nn.Sequential(
            ConvNorm(channels, hidden[0], bias=True),
            ConvNorm(hidden[0], hidden[1], bias=True),
            ConvNorm(hidden[1], FACTORS, bias=True, relu=False),
        )
        same = channels == width and stride == 1
        self.shortcut = (
            nn.Identity() if same else ConvNorm(channels, width, stride=stride, relu=False)
        )

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The next map (n, width, h', w') and the selection (n, 32, 1, 1) in 0..1."""
        selection = torch.sigmoid(self.select(features.mean(dim=(2, 3), keepdim=True)))
        factors = self.group(self.reduce(features))
        # a factor module is a run of neighbouring channels
        gates = selection.repeat_interleave(factors.shape[1] // FACTORS, dim=1)
        restored = self.restore(gates * factors)
        return torch.relu(self.shortcut(features) + restored), selection


class MLFN(Network):
    """Images (n, 3, h, w) to one embedding (n, 1024); made for 256 x 128.

    The embedding is the mean of two: of the last map, and of the selections of all 16 blocks,
    which the paper calls the factor signature.
    """

    widths = (EMBEDDING,)

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm(3, STEM, 7, stride=2, bias=True)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        blocks, channels = [], STEM
        for number, (count, width, *hidden) in enumerate(STAGES):
            for i in range(count):
                stride = 2 if number > 0 and i == 0 else 1
                blocks.append(FactorBlock(channels, width, (hidden[0], hidden[1]), stride))
                channels = width
        self.blocks = nn.ModuleList(blocks)
        self.project = ConvNorm(channels, EMBEDDING)
        self.project_signature = ConvNorm(FACTORS * len(blocks), EMBEDDING)
        start_like_he(self)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The embedding."""
        features = self.pool(self.stem(images))
        selections = []
        for block in self.blocks:
            features, selection = block(features)
            selections.append(selection)
        seen = self.project(features.mean(dim=(2, 3), keepdim=True))
        signature = self.project_signature(torch.cat(selections, dim=1))
        return (0.5 * (seen + signature).flatten(1),)


TABLE = (
    ("stem.conv.", "conv1."),
    ("stem.bn.", "bn1."),
    ("blocks.", "feature."),
    (".reduce.conv.", ".fm_conv1."),
    (".reduce.bn.", ".fm_bn1."),
    (".group.conv.", ".fm_conv2."),
    (".group.bn.", ".fm_bn2."),
    (".restore.conv.", ".fm_conv3."),
    (".restore.bn.", ".fm_bn3."),
    (".select.0.conv.", ".fsm.1."),
    (".select.0.bn.", ".fsm.2."),
    (".select.1.conv.", ".fsm.4."),
    (".select.1.bn.", ".fsm.5."),
    (".select.2.conv.", ".fsm.7."),
    (".select.2.bn.", ".fsm.8."),
    (".shortcut.conv.", ".downsample.0."),
    (".shortcut.bn.", ".downsample.1."),
    ("project.conv.", "fc_x.0."),
    ("project.bn.", "fc_x.1."),
    ("project_signature.conv.", "fc_s.0."),
    ("project_signature.bn.", "fc_s.1."),
)
"""Pieces of our parameter names and torchreid's."""
