"""Any timm network as an encoder: features, their pooled vector, and the statistics it wants."""

from __future__ import annotations

from typing import Any

import torch
from timm.layers.format import Format
from torch import Tensor, nn

from baselines.shared.timm_body import timm_body
from harness.base.errors import RecipeError
from harness.spec.method import DataInfo
from harness.training.weights import first_line


class Encoder(nn.Module):
    """A timm network without its classifier.

    Args:
        body: Made with `num_classes=0`.
        scale, shift: Each (3,): `images * scale + shift` are normalised as its weights want.

    Attributes:
        width: d of the pooled vector.
        channels: Channels of the features.
        class_token: Whether it has one.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, body: nn.Module, scale: Tensor, shift: Tensor) -> None:
        super().__init__()
        network: Any = body
        self.body = body
        self.channels: int = network.num_features
        self.width: int = network.head_hidden_size
        self.class_token = getattr(body, "cls_token", None) is not None
        self._channels_last = getattr(body, "output_fmt", Format.NCHW) == Format.NHWC
        # saved with the weights: a trained network needs them wherever it is loaded
        self.register_buffer("scale", scale[:, None, None])
        self.register_buffer("shift", shift[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        """The last features, (n, channels, h, w), or (n, tokens, channels) of a transformer.

        Args:
            images: (n, 3, height, width), normalised as the recipe says.
        """
        network: Any = self.body
        features: Tensor = network.forward_features(images * self.scale + self.shift)
        return features.permute(0, 3, 1, 2) if self._channels_last else features

    def pool(self, features: Tensor) -> Tensor:
        """The (n, width) vector that timm would classify.

        With a class token it is that token after the last normalisation; without one the
        network's own pooling, which for a CNN is the average over the map.
        """
        network: Any = self.body
        if self._channels_last:
            features = features.permute(0, 2, 3, 1)
        pooled: Tensor = network.forward_head(features, pre_logits=True)
        return pooled

    def as_map(self, features: Tensor) -> Tensor:
        """The features as (n, channels, h, w); tokens stand in one column, (n, channels, t, 1)."""
        return features.mT[..., None] if features.ndim == 3 else features


def encoder(
    name: str, data: DataInfo, patch_stride: int | None = None, drop_path: float = 0.0
) -> Encoder:
    """An encoder by the name of a preset or of timm; arguments and errors as `timm_body`.

    Pretrained weights get images normalised with the statistics they were trained with, which
    timm knows by the tag; from scratch the recipe's statistics are as good as any.

    Raises:
        RecipeError: Also when it gives no features of images of this size.
    """
    body = timm_body(name, data.pretrained, (data.height, data.width), patch_stride, drop_path)
    given_mean, given_std = torch.tensor(data.mean), torch.tensor(data.std)
    mean, std = given_mean, given_std
    if data.pretrained != "none":
        about: Any = body.pretrained_cfg
        mean, std = torch.tensor(about["mean"]), torch.tensor(about["std"])
    found = Encoder(body, given_std / std, (given_mean - mean) / std)
    _try(found, name, (data.height, data.width))
    return found


def _try(made: Encoder, name: str, size: tuple[int, int]) -> None:
    """Shows it one image, so that a network that cannot be used ends before the training."""
    made.eval()
    try:
        with torch.no_grad():
            features = made(made.scale.new_zeros(1, 3, *size))
            shape = tuple(made.pool(features).shape)
            fits = shape == (1, made.width) and made.as_map(features).shape[1] == made.channels
            problem = None if fits else f"its features have shape {shape}"
    except Exception as error:  # networks break at sizes they are not made for in any way
        problem = first_line(error)
    if problem is not None:
        raise RecipeError(
            f"backbone {name!r} gives no features of {size[0]}x{size[1]} images: {problem}",
            "a timm network that takes this input size",
            "choose another one with `--set config.backbone=resnet50`, or another input size",
        )
    made.train()
