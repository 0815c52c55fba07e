"""The options that the methods on the ViT of `reid_vit` share; imports no torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from baselines.shared.options import Weight


class VitConfig(BaseModel):
    """A part of the recipe's `[config]`; the defaults are ViT-B/16 as TOP-ReID trains it.

    Attributes:
        depth: Blocks of the ViT.
        width: d, of its tokens.
        heads: Of every attention layer, those above the ViT too.
        patch: Height and width of a patch.
        stride: From one patch to the next; below `patch` they overlap.
        drop_path: Stochastic depth of the last block; it grows linearly from 0 at the first.
        sie_camera: Whether an embedding of the camera is added to every token, at test too.
        sie_coefficient: What it is multiplied by.
        supervision: The heads on the ViT's class tokens: `joint` has one for them side by side
            (the papers' AL), `each` one for each modality (BL).
        label_smoothing: Probability mass spread over all classes in the cross-entropy.
        margin: Of the triplet; absent, the soft margin.
        id_weight, triplet_weight: Of the cross-entropy and the triplet of every head.
        normalise: The descriptor is divided by its length, as the authors' evaluator does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    depth: int = Field(default=12, ge=1)
    width: int = Field(default=768, ge=1)
    heads: int = Field(default=12, ge=1)
    patch: int = Field(default=16, ge=1)
    stride: int = Field(default=16, ge=1)
    drop_path: float = Field(default=0.1, ge=0, lt=1)
    sie_camera: bool = True
    sie_coefficient: float = Field(default=3.0, allow_inf_nan=False)
    supervision: Literal["joint", "each"] = "joint"
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    margin: Weight | None = None
    id_weight: Weight = 1.0
    triplet_weight: Weight = 1.0
    normalise: bool = False

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> VitConfig:
        if self.width % self.heads:
            raise ValueError(f"{self.heads} heads do not divide a width of {self.width}")
        return self
