"""The options that methods on CLIP's image encoder share; imports no torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from baselines.shared.options import Weight


class EncoderShape(BaseModel):
    """The shape of the encoder; the defaults are CLIP's ViT-B/16, which published weights need.

    Attributes:
        depth: Blocks.
        width: Of the tokens within.
        heads: Of the attention in each block.
        patch: Height and width of a patch in pixels.
        out: Of the tokens after the projection, the d of the methods.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    depth: int = Field(default=12, ge=1)
    width: int = Field(default=768, ge=8)
    heads: int = Field(default=12, ge=1)
    patch: int = Field(default=16, ge=1)
    out: int = Field(default=512, ge=8)

    @model_validator(mode="after")
    def _heads_divide(self) -> EncoderShape:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is no multiple of heads {self.heads}")
        return self


class ClipConfig(BaseModel):
    """The recipe's `[config]` of such a method, as far as they have it in common.

    Attributes:
        encoder: Its shape.
        stride: Between patches in pixels; below `encoder.patch` they overlap.
        sie_camera: A learned vector of the image's camera is added to the class token, in training
            and at test. Without effect where the data set names no cameras.
        sie_coefficient: What this vector is multiplied by.
        supervision: The class tokens are classified side by side (`joint`) or `each` for itself.
        id_weight: Of every cross-entropy.
        triplet_weight: Of every triplet loss.
        label_smoothing: Probability mass spread over all classes in the cross-entropy.
        margin: Of the triplet; absent, the soft margin.
        normalise: The descriptor is divided by its length, as the authors' evaluator does on
            most data sets.
        encoder_rate: The encoder learns at so many times the recipe's rate, biases included; as
            published at 5e-6 where the rest learns at 3.5e-4.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: EncoderShape = EncoderShape()
    stride: int = Field(default=16, ge=1)
    sie_camera: bool = True
    sie_coefficient: float = Field(default=1.0, allow_inf_nan=False)
    supervision: Literal["joint", "each"] = "joint"
    id_weight: Weight = 0.25
    triplet_weight: Weight = 1.0
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    margin: Weight | None = None
    normalise: bool = False
    encoder_rate: float = Field(default=5e-6 / 3.5e-4, gt=0, allow_inf_nan=False)
