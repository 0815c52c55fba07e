"""The ViT of TOP-ReID and EDITOR: timm's blocks and names, with an embedding of the camera.

Written from the specification of 924973292/TOP-ReID (MIT); the same network serves both methods.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import timm
import torch
from timm.layers import PatchEmbed
from timm.models.vision_transformer import Block
from torch import Tensor, nn
from torch.nn import functional

from baselines.shared.vit_config import VitConfig
from harness.base.errors import CheckpointError, ProtocolError, RecipeError
from harness.training.backbone import no_weights, read_state
from harness.training.weights import describe_misfit

HUB = "vit_base_patch16_224.augreg_in21k"
"""The public weights nearest to the authors' file, `vitb_16_224_21k.pth`, which is a share link."""

_AFTER_THE_TOKENS = ("head", "fc.", "pre_logits.")
"""Parameters of a public file that come after the tokens; the methods have heads of their own."""


class ReidViT(nn.Module):
    """A ViT that gives all its tokens, with timm's parameter names and `sie_embed`.

    The camera's embedding, times a coefficient, is added to every token, the class token too.

    Args:
        config: Its shape, stochastic depth and the camera's coefficient.
        size: (height, width) of the images; fixed from here on.
        cameras: Of train. With one or none, or `sie_camera` off, there is no `sie_embed`.

    Raises:
        RecipeError: Images smaller than a patch.
    """

    def __init__(self, config: VitConfig, size: tuple[int, int], cameras: int = 0) -> None:
        super().__init__()
        width = config.width
        self.grid = patch_grid(size, config.patch, config.stride)
        self.coefficient = config.sie_coefficient
        self.patch_embed = PatchEmbed(size, config.patch, embed_dim=width)
        self.patch_embed.proj.stride = (config.stride, config.stride)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + math.prod(self.grid), width))
        self.sie_embed: nn.Parameter | None = None
        if config.sie_camera and cameras > 1:
            self.sie_embed = nn.Parameter(torch.zeros(cameras, 1, width))
        self.blocks = nn.ModuleList(
            Block(
                width,
                config.heads,
                qkv_bias=True,
                drop_path=drop,
                norm_layer=partial(nn.LayerNorm, eps=1e-6),
            )
            for drop in _growing(config.drop_path, config.depth)
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.apply(start_narrow)
        for table in (self.cls_token, self.pos_embed, self.sie_embed):
            if table is not None:
                nn.init.trunc_normal_(table, std=0.02)

    def forward(self, images: Tensor, camids: Tensor | None = None) -> Tensor:
        """All tokens after the last normalisation, (n, 1 + patches, d), the class token first.

        Args:
            images: (n, 3, height, width).
            camids: (n,) int64 cameras, 0-based; needed where there is a `sie_embed`.

        Raises:
            ProtocolError: They are needed and not there.
        """
        tokens = self._embedded(images, camids)
        for block in self.blocks:
            tokens = block(tokens)
        out: Tensor = self.norm(tokens)
        return out

    def with_attention(
        self, images: Tensor, camids: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """As `forward`, and what every block attends to, which fused attention cannot tell.

        Returns:
            The tokens, and by block the probabilities (n, heads, 1 + patches, 1 + patches), the
            queries' rows first, without a gradient.
        """
        tokens = self._embedded(images, camids)
        seen = []
        for block in self.blocks:
            tokens, probabilities = _attending(block, tokens)
            seen.append(probabilities)
        return self.norm(tokens), seen

    def _embedded(self, images: Tensor, camids: Tensor | None) -> Tensor:
        patches: Tensor = self.patch_embed(images)
        tokens = torch.cat([self.cls_token.expand(len(images), -1, -1), patches], 1)
        tokens = tokens + self.pos_embed
        if self.sie_embed is None:
            return tokens
        if camids is None:
            raise ProtocolError(
                seen="images without the number of their camera",
                expected="one for each image, since this model adds an embedding of the camera",
                do="train and test it without: --set config.sie_camera=false",
            )
        return tokens + self.coefficient * self.sie_embed[camids]


def _growing(last: float, depth: int) -> list[float]:
    """Linearly from 0 to `last`."""
    return [last * block / max(depth - 1, 1) for block in range(depth)]


def _attending(block: nn.Module, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """One of timm's blocks with its attention in the open: the tokens and the probabilities."""
    b: Any = block
    n, length, width = tokens.shape
    packed = b.attn.qkv(b.norm1(tokens)).reshape(n, length, 3, b.attn.num_heads, -1)
    query, key, value = packed.permute(2, 0, 3, 1, 4).unbind(0)
    probabilities = (query * b.attn.scale @ key.mT).softmax(-1)
    attended = (probabilities.to(value.dtype) @ value).transpose(1, 2).reshape(n, length, width)
    tokens = tokens + b.drop_path1(b.attn.proj(attended))
    tokens = tokens + b.drop_path2(b.mlp(b.norm2(tokens)))
    return tokens, probabilities.detach()


def start_narrow(module: nn.Module) -> None:
    """The authors' start of a Linear: weights truncated normal, deviation 0.02, biases zero."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def patch_grid(size: tuple[int, int], patch: int, stride: int) -> tuple[int, int]:
    """Rows and columns of patches of images of (height, width).

    Raises:
        RecipeError: Images smaller than a patch.
    """
    if min(size) < patch:
        raise RecipeError(
            seen=f"images of {size[0]}x{size[1]} pixels and patches of {patch}",
            expected="images of one patch at least",
            do="--set input.height=256 input.width=128, or a smaller config.patch",
        )
    rows, columns = ((side - patch) // stride + 1 for side in size)
    return rows, columns


def load_vit(networks: Iterable[ReidViT], source: str) -> None:
    """Load public weights in timm's naming into each network; `sie_embed` keeps its start.

    Args:
        source: `none`; `imagenet`, from the hub; or the path of a .safetensors or torch file.

    Raises:
        PretrainedError: The weights cannot be downloaded, or the file cannot be read.
        CheckpointError: Keys are missing or unexpected, or shapes do not fit.
    """
    if source == "none":
        return
    hub = source == "imagenet"
    found = _from_hub() if hub else read_state(Path(source))
    given = {k: v for k, v in found.items() if not k.startswith(_AFTER_THE_TOKENS)}
    for network in networks:
        want = {k: v for k, v in network.state_dict().items() if k != "sie_embed"}
        state = dict(given)
        if "pos_embed" in given:
            state["pos_embed"] = resized_positions(given["pos_embed"], network.grid)
        misfit = describe_misfit(want, state)
        if misfit:
            raise CheckpointError(
                f"the weights {HUB if hub else f'in {source}'} do not fit the ViT: {misfit}",
                "every parameter of a ViT of this depth, width and patch size in timm's naming, "
                "such as timm's vit_base_patch16_224 for the published shape; a classifier may "
                "be there and is not used",
                "pass the file of the same network, or --set pretrained=none",
            )
        network.load_state_dict(state, strict=False)


def resized_positions(positions: Tensor, grid: tuple[int, int]) -> Tensor:
    """Position embeddings for another number of patches, as the authors resize them.

    The class token's stays, the square grid of the others is resized bilinearly between the
    centres of pixels. (timm does it bicubically with antialiasing: other start values.)

    Args:
        positions: (1, 1 + s * s, d), or already of the wanted size.
        grid: Rows and columns wanted.

    Returns:
        (1, 1 + rows * columns, d); what is no square grid comes back as it is.
    """
    if positions.ndim != 3 or positions.shape[1] == 1 + math.prod(grid):
        return positions
    side = math.isqrt(max(positions.shape[1] - 1, 0))
    if side == 0 or side * side != positions.shape[1] - 1:
        return positions
    square = positions[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    resized = functional.interpolate(square, grid, mode="bilinear", align_corners=False)
    return torch.cat([positions[:, :1], resized.flatten(2).mT], 1)


def _from_hub() -> dict[str, Tensor]:
    try:
        public: nn.Module = timm.create_model(HUB, pretrained=True)
    except Exception as error:  # the hub's client raises errors of several libraries
        raise no_weights(HUB, error) from error
    return public.state_dict()
