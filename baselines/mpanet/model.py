"""The MPANet network: one shared ResNet with alleviation, pattern maps, and its classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.mpanet.config import MPANetConfig
from baselines.shared.cross import by_modality
from baselines.shared.neck import BNNeck
from baselines.shared.resnet import resnet_pieces
from harness.spec.method import DataInfo
from harness.spec.modality import Modality

SQUEEZE = 16
"""Factor by which the gate of the alleviation narrows."""


class TrainOutput(NamedTuple):
    """What the network gives in training, by modality of n_m images."""

    pooled: dict[Modality, Tensor]
    """Each (n_m, d), before the neck."""
    logits: dict[Modality, Tensor]
    """Each (n_m, classes)."""
    maps: dict[Modality, Tensor]
    """Each (n_m, patterns, h, w) in 0..1."""
    own: dict[Modality, Tensor]
    """Each (n_m, classes): the classifier of the image's own modality; empty without any."""
    others: dict[Modality, Tensor]
    """Each (n_m, modalities - 1, classes): the mean classifiers of the others, no gradient."""


class Alleviation(nn.Module):
    """MAM, the modality alleviation module (paper section 3.2).

    y = g x + (1 - g) IN(x): instance normalisation takes a modality's style away, and the gate g,
    from the mean of each channel, keeps what it would take too much of.

    Args:
        channels: Of the map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // SQUEEZE, 1, bias=False)
        self.expand = nn.Conv2d(channels // SQUEEZE, channels, 1, bias=False)
        for conv in (self.squeeze, self.expand):
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, maps: Tensor) -> Tensor:
        """(n, channels, h, w) to the same."""
        pooled = maps.mean((2, 3), keepdim=True)
        gate: Tensor = self.expand(self.squeeze(pooled).relu()).sigmoid()
        return gate * maps + (1 - gate) * functional.instance_norm(maps)


class Specific(nn.Module):
    """A classifier per modality and its slow copy (paper section 3.4, mutual mean learning).

    Args:
        modalities: Of the run, two or more.
        width: Of the feature.
        classes: Identities in training.
        rate: How far a copy moves each step, before it slows down.
    """

    rate: Tensor

    def __init__(
        self, modalities: tuple[Modality, ...], width: int, classes: int, rate: float
    ) -> None:
        super().__init__()
        self.full_rate = rate
        self.classifiers = nn.ModuleDict(
            {m: nn.Linear(width, classes, bias=False) for m in modalities}
        )
        self.register_buffer("rate", torch.tensor(rate))
        for modality in modalities:
            weight = self._weight(modality)
            self.register_buffer(f"mean_{modality}", weight.detach().clone())

    def start_epoch(self, epoch: int) -> None:
        """The rate falls from epoch 99 on, counted from 0, as 100 / (epoch + 2)."""
        self.rate.fill_(self.full_rate * min(100 / (epoch + 2), 1))

    def forward(
        self, features: Mapping[Modality, Tensor]
    ) -> tuple[dict[Modality, Tensor], dict[Modality, Tensor]]:
        """Own logits (n_m, classes) and those of the others' copies (n_m, modalities - 1, classes).

        In train mode the copies move first.
        """
        own = {m: functional.linear(f, self._weight(m)) for m, f in features.items()}
        others = {}
        with torch.no_grad():
            if self.training:
                self._follow()
            for modality, feature in features.items():
                rest = [m for m in self.classifiers if m != modality]
                others[modality] = torch.stack(
                    [functional.linear(feature, self.get_buffer(f"mean_{m}")) for m in rest], 1
                )
        return own, others

    def _follow(self) -> None:
        for modality in self.classifiers:
            mean = self.get_buffer(f"mean_{modality}")
            mean.lerp_(self._weight(modality).to(mean.dtype), self.rate)

    def _weight(self, modality: str) -> Tensor:
        weight = self.classifiers[modality].weight
        assert isinstance(weight, Tensor)
        return weight


class MPANet(nn.Module):
    """One backbone for all modalities; only the training classifiers know which is which.

    Args:
        config: The options; kept as `config`.
        data: Classes, modalities of the run and pretrained weights.
    """

    def __init__(self, config: MPANetConfig, data: DataInfo) -> None:
        super().__init__()
        self.config = config
        pieces = resnet_pieces(config.backbone, data.pretrained)
        inner, channels = pieces.channels
        first, second, third, fourth = pieces.stages
        self.backbone = nn.Sequential(
            pieces.stem,
            first,
            second,
            third,
            Alleviation(inner) if config.alleviation > 1 else nn.Identity(),
            fourth,
            Alleviation(channels) if config.alleviation > 0 else nn.Identity(),
        )
        self.patterns = nn.Conv2d(channels, config.patterns, 1) if config.patterns else None
        if self.patterns is not None:
            nn.init.zeros_(self.patterns.bias)  # type: ignore[arg-type]
        width = channels * (config.patterns + 1)
        self.neck = BNNeck(width, data.classes)
        # Unlike the shared neck's, the authors' classifier starts from PyTorch's default.
        self.neck.classifier.reset_parameters()
        self.specific = (
            Specific(data.modalities, width, data.classes, config.update_rate)
            if config.mutual and len(data.modalities) > 1
            else None
        )

    def forward(self, images: Mapping[Modality, Tensor]) -> TrainOutput | dict[Modality, Tensor]:
        """What the losses need in train mode, descriptors in eval mode.

        Args:
            images: By modality, each (n_m, 3, height, width).

        Returns:
            In eval mode by modality the (n_m, channels * (patterns + 1)) feature after the neck.
        """
        found = self.backbone(torch.cat(list(images.values())))
        maps = self._maps(found)
        pooled = torch.cat([_under(maps, found), found.mean((2, 3))], 1)
        feature, logits = self.neck(pooled)
        apart = by_modality(feature, images)
        if not self.training:
            return apart
        own, others = ({}, {}) if self.specific is None else self.specific(apart)
        by_name = [by_modality(together, images) for together in (pooled, logits, maps)]
        return TrainOutput(*by_name, own, others)

    def _maps(self, found: Tensor) -> Tensor:
        """(n, patterns, h, w) in 0..1."""
        if self.patterns is None:
            n, _, h, w = found.shape
            return found.new_zeros((n, 0, h, w))
        maps: Tensor = self.patterns(found).sigmoid()
        return maps


def _under(maps: Tensor, found: Tensor) -> Tensor:
    """The mean of the feature map under each pattern map, (n, patterns * channels)."""
    positions = found.shape[2] * found.shape[3]
    pooled = maps.flatten(2) @ found.flatten(2).transpose(1, 2) / positions
    return pooled.flatten(1)
