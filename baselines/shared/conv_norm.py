"""Convolution, batch normalisation and ReLU as one layer, and the start values of He et al."""

from __future__ import annotations

from torch import Tensor, nn


class ConvNorm(nn.Module):
    """Convolution that keeps the size at stride 1, batch normalisation, and ReLU if asked.

    Args:
        channels: Channels of the input.
        width: Channels of the output.
        kernel: Height and width of the kernel, odd.
        stride: Of the convolution.
        groups: Of the convolution.
        bias: Whether the convolution has one. Behind a batch normalisation it changes nothing,
            but public checkpoints hold it.
        relu: Whether a ReLU follows.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        bias: bool = False,
        relu: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            channels, width, kernel, stride, kernel // 2, groups=groups, bias=bias
        )
        self.bn = nn.BatchNorm2d(width)
        self.act = nn.ReLU(inplace=True) if relu else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        """(n, channels, h, w) to (n, width, ceil(h / stride), ceil(w / stride))."""
        out: Tensor = self.act(self.bn(self.conv(features)))
        return out


def start_like_he(network: nn.Module) -> None:
    """Draw every convolution from N(0, 2 / fan out) and every linear layer from N(0, 0.01^2).

    Biases start at 0. Source: He et al., ICCV 2015, as the public re-identification networks use
    it.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0, 0.01)
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
