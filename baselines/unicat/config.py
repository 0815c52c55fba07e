"""The options of UniCat."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from baselines.shared.options import Weight


class UniCatConfig(BaseModel):
    """The recipe's `[config]`; the defaults are those of the authors' configurations.

    Attributes:
        backbone: A preset or any timm name; the paper has `resnet50` and `vit_base_patch16`.
        descriptor: The feature compared at test, `before` or `after` the neck.
        margin: Of the triplet; absent, the soft margin.
        label_smoothing: Probability mass spread over all classes in the cross-entropy.
        patch_stride: For a ViT, the distance of its patches, which then overlap.
        drop_path: Stochastic depth of a ViT.
        bias_rate: Biases learn at so many times the recipe's rate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: str = Field(default="resnet50", min_length=1)
    descriptor: Literal["before", "after"] = "before"
    margin: Weight | None = None
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    patch_stride: int | None = Field(default=None, ge=1, le=64)
    drop_path: float = Field(default=0.0, ge=0, lt=1)
    bias_rate: float = Field(default=2.0, gt=0, allow_inf_nan=False)
