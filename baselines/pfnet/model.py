"""The PFNet network: a stream for each modality, and one for RGB summed with each other one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor, nn

from baselines.pfnet.config import PFNetConfig
from harness.spec.method import DataInfo
from harness.spec.modality import Modality, in_order
from harness.training.backbone import feature_backbone
from harness.training.pooling import stripe_means
from harness.training.streams import side_by_side

STRIPES = 2
REDUCED = 768
"""Channels after a branch's reduction."""
PART = 256
"""Width of one stripe's feature."""

Sum = tuple[Modality, ...]
"""The modalities whose maps a branch adds up; one for a branch of its own."""


class TrainOutput(NamedTuple):
    """What the network gives in training, by branch."""

    logits: dict[Sum, Tensor]
    """Each (n, stripes, classes)."""
    whole: Tensor
    """(n, classes), from all branches together."""


def branch_sums(modalities: tuple[Modality, ...]) -> tuple[Sum, ...]:
    """The branches of a set of modalities: each alone, then the first with each other one.

    All three give R, N, T, R+N, R+T. Without RGB, NI takes its place as the one that the other
    is added to.
    """
    first, *others = in_order(modalities)
    return (*((m,) for m in in_order(modalities)), *((first, m) for m in others))


def descriptor_order(modalities: tuple[Modality, ...]) -> tuple[Sum, ...]:
    """The branches as the descriptor joins them: T, R+T, R, R+N, N where all are there.

    The first modality stands in the middle, each other one outside its sum with it.
    """
    first, *others = in_order(modalities)
    left: list[Sum] = []
    right: list[Sum] = []
    for modality in others:
        if modality == "TI":
            left += [(modality,), (first, modality)]
        else:
            right += [(first, modality), (modality,)]
    return (*left, (first,), *right)


class Branch(nn.Module):
    """From one map to the features and logits of its stripes.

    Args:
        channels: Of the map.
        classes: Identities in training.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.reduction = nn.Sequential(
            OrderedDict(
                conv=nn.Conv2d(channels, REDUCED, 1, bias=False),
                bn=nn.BatchNorm2d(REDUCED),
                act=nn.ReLU(inplace=True),
            )
        )
        self.embed = nn.ModuleList(
            nn.Sequential(
                OrderedDict(linear=nn.Linear(REDUCED, PART), bn=nn.BatchNorm1d(PART), act=nn.ReLU())
            )
            for _ in range(STRIPES)
        )
        self.classify = nn.ModuleList(nn.Linear(PART, classes) for _ in range(STRIPES))

    def forward(self, features: Tensor) -> list[Tensor]:
        """The stripes' features, top first, each (n, 256), of a map (n, channels, h, w)."""
        pooled = stripe_means(features, STRIPES)
        stripes: Tensor = self.reduction(pooled).squeeze(3)
        return [f(s) for f, s in zip(self.embed, stripes.unbind(2), strict=True)]

    def logits(self, stripes: list[Tensor]) -> Tensor:
        """(n, stripes, classes) of the stripes' features."""
        return torch.stack([c(s) for c, s in zip(self.classify, stripes, strict=True)], 1)


class PFNetwork(nn.Module):
    """The whole network for one or more modalities.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities, input size and pretrained weights.
    """

    def __init__(self, config: PFNetConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        self.modalities = in_order(data.modalities)
        size = (data.height, data.width)
        backbones = {
            m: feature_backbone(config.backbone, data.pretrained, image_size=size)
            for m in self.modalities
        }
        channels = next(iter(backbones.values())).channels
        self.backbones = nn.ModuleDict(backbones)
        self.branches = nn.ModuleDict(
            {key(s): Branch(channels, data.classes) for s in branch_sums(self.modalities)}
        )
        self.classifier = nn.Linear(STRIPES * PART * len(self.branches), data.classes)

    def forward(self, images: Mapping[Modality, Tensor]) -> Tensor | TrainOutput:
        """Descriptors in eval mode, logits in train mode.

        Args:
            images: Normalised images by modality, each (n, 3, height, width).

        Returns:
            In eval mode the (n, 512 * branches) descriptor, not normalised, in
            `descriptor_order`; in train mode a `TrainOutput`.
        """
        backbones = {m: self.backbones[m] for m in self.modalities}
        maps = side_by_side(backbones, {m: (images[m],) for m in backbones})
        stripes = {
            s: self._branch(s)(reduce(torch.add, [maps[m] for m in s]))
            for s in branch_sums(self.modalities)
        }
        order = descriptor_order(self.modalities)
        descriptor = torch.cat([part for s in order for part in stripes[s]], dim=1)
        if not self.training:
            return descriptor
        return TrainOutput(
            logits={s: self._branch(s).logits(parts) for s, parts in stripes.items()},
            whole=self.classifier(descriptor),
        )

    def _branch(self, modalities: Sum) -> Branch:
        branch = self.branches[key(modalities)]
        assert isinstance(branch, Branch)
        return branch


def key(modalities: Sum) -> str:
    """The name of a branch among the parameters, such as `RGB` or `RGB_TI`."""
    return "_".join(modalities)
