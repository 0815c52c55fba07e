"""CLIP's image encoder (Radford et al. 2021), with all its tokens projected."""

from __future__ import annotations

import torch
from timm.layers import QuickGELU
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from baselines.shared.clip_config import EncoderShape
from harness.base.errors import RecipeError


class ClipVisual(nn.Module):
    """A ViT whose class token and patches all end in the space that CLIP shares with text.

    Patches by a convolution without bias; the class token in front; positions; a normalisation
    (`ln_pre`); pre-norm blocks with QuickGELU, x * sigmoid(1.702 x); `ln_post` and the projection
    on every token. CLIP itself projects the class token alone; the methods of this field compare
    the patches, too. LayerNorm has eps 1e-5. timm's `vit_base_patch16_clip_quickgelu_224` is the
    same function, its variant without `quickgelu` is not.

    A method with prompts or adapters between the blocks goes through `start` (or `placed` and
    `ln_pre`), `blocks` and `finish` by itself.

    Args:
        size: (height, width) of the images.
        shape: Depth, widths, heads and patch size.
        stride: Between patches; `shape.patch` puts them side by side.

    Attributes:
        grid: (h, w), rows and columns of patches; L = h * w.
        width: Of the tokens within.
        out: d, of the tokens at the end.
        blocks: timm's blocks, of tokens (n, t, width).

    Raises:
        RecipeError: The images are smaller than a patch.
    """

    def __init__(
        self, size: tuple[int, int], shape: EncoderShape | None = None, stride: int = 16
    ) -> None:
        super().__init__()
        shape = shape or EncoderShape()
        if min(size) < shape.patch:
            raise RecipeError(
                f"images of {size[0]}x{size[1]} pixels for patches of {shape.patch}x{shape.patch}",
                "images that hold a patch",
                "raise input.height and input.width, or lower config.encoder.patch",
            )
        rows, columns = ((s - shape.patch) // stride + 1 for s in size)
        self.grid = (rows, columns)
        self.width, self.out = shape.width, shape.out
        # CLIP's own initial values of what is no part of a layer; the layers have PyTorch's.
        scale = shape.width**-0.5
        self.class_embedding = nn.Parameter(scale * torch.randn(shape.width))
        positions = torch.randn(1 + rows * columns, shape.width)
        self.positional_embedding = nn.Parameter(scale * positions)
        self.conv1 = nn.Conv2d(3, shape.width, shape.patch, stride, bias=False)
        self.ln_pre = nn.LayerNorm(shape.width)
        self.blocks = nn.ModuleList(
            Block(
                shape.width,
                shape.heads,
                qkv_bias=True,
                act_layer=QuickGELU,
                norm_layer=nn.LayerNorm,
            )
            for _ in range(shape.depth)
        )
        self.ln_post = nn.LayerNorm(shape.width)
        self.proj = nn.Parameter(scale * torch.randn(shape.width, shape.out))

    def forward(
        self, images: Tensor, shift: Tensor | None = None, extra: Tensor | None = None
    ) -> Tensor:
        """All tokens, (n, 1 + L + k, out): the class, the patches row by row, the further ones.

        Args:
            images: (n, 3, height, width), normalised.
            shift: (n, width), added to the class token before its position, such as that of the
                image's camera.
            extra: (n, k, width) further tokens, with their positions.
        """
        tokens = self.start(images, shift, extra)
        for block in self.blocks:
            tokens = block(tokens)
        return self.finish(tokens)

    def start(
        self, images: Tensor, shift: Tensor | None = None, extra: Tensor | None = None
    ) -> Tensor:
        """What the first block is given, (n, 1 + L + k, width); arguments as of `forward`."""
        started: Tensor = self.ln_pre(self.placed(images, shift, extra))
        return started

    def placed(
        self, images: Tensor, shift: Tensor | None = None, extra: Tensor | None = None
    ) -> Tensor:
        """`start` before its normalisation: the tokens with their positions."""
        patches = self.conv1(images).flatten(2).mT
        first = self.class_embedding.expand(len(images), -1)
        if shift is not None:
            first = first + shift
        # Under autocast the patches are of a lower precision than the parameters beside them.
        tokens = torch.cat([first[:, None].to(patches.dtype), patches], dim=1)
        tokens = tokens + self.positional_embedding.to(patches.dtype)
        if extra is not None:
            tokens = torch.cat([tokens, extra.to(patches.dtype)], dim=1)
        return tokens

    def finish(self, tokens: Tensor) -> Tensor:
        """Tokens (n, t, width) of the last block, normalised and projected to (n, t, out)."""
        finished: Tensor = self.ln_post(tokens) @ self.proj
        return finished
