"""One CLIP image encoder for all modalities, told which camera took an image."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from baselines.shared.clip_config import ClipConfig
from baselines.shared.clip_visual import ClipVisual
from baselines.shared.clip_weights import load_clip
from harness.base.errors import PluginError
from harness.spec.method import DataInfo
from harness.spec.modality import Modality


class ClipStreams(nn.Module):
    """The tokens of every modality by the same encoder.

    Args:
        config: The options that these methods share.
        data: Modalities, image size, cameras and pretrained weights.

    Attributes:
        encoder: A `ClipVisual`.
        camera_embedding: (cameras, width), or None without cameras.
        grid: (h, w), rows and columns of patches.
        out: d of the tokens.
    """

    def __init__(self, config: ClipConfig, data: DataInfo) -> None:
        super().__init__()
        self.modalities = data.modalities
        self.coefficient = config.sie_coefficient
        self.encoder = ClipVisual((data.height, data.width), config.encoder, config.stride)
        self.grid, self.out = self.encoder.grid, self.encoder.out
        load_clip(self.encoder, data.pretrained)
        self.camera_embedding: nn.Parameter | None = None
        if config.sie_camera and data.cameras:
            table = torch.empty(data.cameras, self.encoder.width)
            self.camera_embedding = nn.Parameter(nn.init.trunc_normal_(table, std=0.02))

    def forward(
        self,
        images: Mapping[Modality, Tensor],
        camids: Tensor | None = None,
        further: Mapping[Modality, Tensor] | None = None,
    ) -> dict[Modality, Tensor]:
        """Each (n, 1 + L, d): the class token, then the patches row by row; a further token last.

        Args:
            images: Each (n, 3, height, width); a modality that is no key counts as zeros, the
                grey image of the authors. The encoder sees it with its camera all the same.
            camids: (n,) cameras of train, for an encoder with a camera embedding.
            further: One more token of each modality, (n, width), with its position.

        Raises:
            PluginError: No cameras for a network that wants them.
        """
        extra = None
        if further is not None:
            extra = torch.cat([further[m] for m in self.modalities])[:, None]
        return self.apart(self.encoder(*self.together(images, camids), extra))

    def together(
        self, images: Mapping[Modality, Tensor], camids: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """What the encoder is given: all images, modality after modality, and their cameras' shift.

        Arguments and errors as of `forward`.
        """
        grey = torch.zeros_like(next(iter(images.values())))
        every = torch.cat([images.get(m, grey) for m in self.modalities])
        return every, self.shift(camids, len(self.modalities))

    def apart(self, tokens: Tensor) -> dict[Modality, Tensor]:
        """By modality, each (n, ...), what was computed of all images together."""
        return dict(zip(self.modalities, tokens.chunk(len(self.modalities)), strict=True))

    def shift(self, camids: Tensor | None, modalities: int = 1) -> Tensor | None:
        """What the cameras add to a token: (modalities * n, width), as often as there are
        modalities, or None without a camera embedding.

        Raises:
            PluginError: No cameras for a network that wants them.
        """
        if self.camera_embedding is None:
            return None
        if camids is None:
            raise PluginError(
                "a batch without camera ids for a network with a camera embedding",
                "batch.camids, which a method tagged test-camera is given where the data set "
                "names cameras",
                "train with `--set config.sie_camera=false` for data without cameras at test",
            )
        return (self.coefficient * self.camera_embedding[camids]).repeat(modalities, 1)
