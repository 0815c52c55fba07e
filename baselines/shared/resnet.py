"""A ResNet of timm in pieces, for methods that share or change some of its stages only."""

from __future__ import annotations

from typing import NamedTuple

from torch import nn

from harness.base.errors import RecipeError
from harness.training.backbone import feature_backbone

_STEM = ("conv1", "bn1", "act1", "maxpool")
_STAGES = ("layer1", "layer2", "layer3", "layer4")


class ResNetPieces(NamedTuple):
    """The stem and the four stages; run one after the other they are the backbone."""

    stem: nn.Sequential
    """7x7 convolution to max-pooling; 1/4 of the image's height and width."""
    stages: tuple[nn.Module, nn.Module, nn.Module, nn.Module]
    channels: tuple[int, int]
    """Of the maps after stage 3 and stage 4."""


def resnet_pieces(name: str, pretrained: str = "none") -> ResNetPieces:
    """The pieces of a ResNet with last stride 1.

    Args:
        name: A timm ResNet, such as `resnet50`.
        pretrained: As for `harness.training.backbone.feature_backbone`.

    Raises:
        RecipeError: The network has no stem and four stages by a ResNet's names.
        HarnessError: Whatever `feature_backbone` says of name and weights.
    """
    whole = feature_backbone(name, pretrained)
    found = dict(whole.body.named_children())
    if [*found] != [*_STEM, *_STAGES]:
        raise RecipeError(
            seen=f"backbone {name!r} is not built as a ResNet",
            expected="a timm network of a stem and the stages layer1 to layer4",
            do="choose another one: --set config.backbone=resnet50",
        )
    first, second, third, fourth = (found[stage] for stage in _STAGES)
    assert isinstance(fourth, nn.Sequential)
    inner = next(m for m in fourth.modules() if isinstance(m, nn.Conv2d)).in_channels
    return ResNetPieces(
        nn.Sequential(*(found[part] for part in _STEM)),
        (first, second, third, fourth),
        (inner, whole.channels),
    )
