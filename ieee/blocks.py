"""The parts of the network: interaction with channel attention, reduction, REM and heads."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

import torch
from torch import Tensor, nn

REDUCED = 768
"""Channels after the reduction."""
PART = 128
"""Width of one stripe's feature; six of them make the 768 of a modality."""
SQUEEZE = 16
"""Factor by which channel attention narrows."""


def conv_bn_relu(channels: int, width: int) -> nn.Sequential:
    """1x1 convolution without bias, batch normalisation, ReLU: (n, channels, h, w) to width."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(channels, width, 1, bias=False),
            bn=nn.BatchNorm2d(width),
            act=nn.ReLU(inplace=True),
        )
    )


class ChannelAttention(nn.Module):
    """Weights of the channels from their mean and their maximum, as the authors' code.

    Args:
        channels: Channels of the map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(1, channels // SQUEEZE)
        self.squeeze = nn.Conv2d(channels, narrow, 1, bias=False)
        self.expand = nn.Conv2d(narrow, channels, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Weights (n, channels, 1, 1) in 0..1 for a map (n, channels, h, w)."""
        mean = features.mean(dim=(2, 3), keepdim=True)
        largest = features.amax(dim=(2, 3), keepdim=True)
        return torch.sigmoid(self._excite(mean) + self._excite(largest))

    def _excite(self, pooled: Tensor) -> Tensor:
        out: Tensor = self.expand(torch.relu(self.squeeze(pooled)))
        return out


class Interaction(nn.Module):
    """CIM: what a modality says plus what the others say (paper section "Cross-modal Interacting").

    y = u + v', u = ReLU(BN(W1 x)), v = ReLU(BN(W2 rest)), v' = w * v + v with attention w, else v.

    Args:
        channels: Channels of the backbone's map.
        attention: Whether v is weighted by channel attention.
        alone: Whether there is no other modality; then y = u, and W2 and attention do not exist.
    """

    def __init__(self, channels: int, attention: bool, alone: bool) -> None:
        super().__init__()
        self.own = conv_bn_relu(channels, channels)
        self.rest = None if alone else conv_bn_relu(channels, channels)
        self.attention = ChannelAttention(channels) if attention and not alone else None

    def forward(self, own: Tensor, rest: Tensor | None) -> Tensor:
        """The map y of a modality's map and the sum of the others', all (n, channels, h, w)."""
        u: Tensor = self.own(own)
        if self.rest is None or rest is None:
            return u
        v: Tensor = self.rest(rest)
        if self.attention is not None:
            v = self.attention(v) * v + v
        return u + v


class RelationEmbedding(nn.Module):
    """REM: adds to every stripe what the global feature says (paper equations 3 and 4).

    `code` computes p + 2 gamma Wp(g), to which the authors' code reduces: its softmax runs over a
    single element. `paper` is our reading: p + g + sigmoid(Wq(p) . Wp(g)) Wv(g).

    Args:
        formula: Which of the two.
        width: Width of stripe and global features.
    """

    def __init__(self, formula: Literal["code", "paper"], width: int = REDUCED) -> None:
        super().__init__()
        self.formula = formula
        self.query = nn.Linear(width, width)
        self.part = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.gamma = nn.Parameter(torch.zeros(1))
        # A parameter that takes no part has no gradient in the authors' code; frozen ones also
        # let distributed training see that nothing is to be waited for.
        if formula == "code":
            self.value.requires_grad_(False)
        else:
            self.gamma.requires_grad_(False)

    def forward(self, parts: Tensor, whole: Tensor) -> Tensor:
        """Stripes (n, parts, width) embedded with the global feature (n, width); same shape."""
        key: Tensor = self.part(whole)
        if self.formula == "paper":
            relation = torch.sigmoid(self.query(parts) @ key.unsqueeze(2))
            value: Tensor = self.value(whole)
            return parts + whole.unsqueeze(1) + relation * value.unsqueeze(1)
        step = 2 * self.gamma * key
        if self.training:
            step = step + self._query_touch()
        return parts + step.unsqueeze(1)

    def _query_touch(self) -> Tensor:
        """A zero that depends on the query projection.

        In the authors' code its gradient is zero but exists, so weight decay shrinks it. One
        element is enough for autograd to make the whole gradient, at no cost.
        """
        return 0.0 * (self.query.weight[0, 0] + self.query.bias[0])


class PartHeads(nn.Module):
    """One embedding and one classifier per stripe, as the authors' code.

    Args:
        parts: Number of stripes.
        classes: Identities in training.
        width: Width of a stripe before embedding.
    """

    def __init__(self, parts: int, classes: int, width: int = REDUCED) -> None:
        super().__init__()
        self.embed = nn.ModuleList(
            nn.Sequential(
                OrderedDict(
                    linear=nn.Linear(width, PART),
                    bn=nn.BatchNorm1d(PART),
                    act=nn.ReLU(inplace=True),
                )
            )
            for _ in range(parts)
        )
        self.classify = nn.ModuleList(nn.Linear(PART, classes) for _ in range(parts))

    def features(self, parts: Tensor) -> Tensor:
        """Stripes (n, parts, width) to their features (n, parts, 128)."""
        return torch.stack([f(p) for f, p in zip(self.embed, parts.unbind(1), strict=True)], 1)

    def logits(self, features: Tensor) -> Tensor:
        """Features (n, parts, 128) to logits (n, parts, classes)."""
        pairs = zip(self.classify, features.unbind(1), strict=True)
        return torch.stack([c(f) for c, f in pairs], 1)
