"""The options of `timm`: a backbone, how modalities are fused, and the weights of the losses."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from baselines.shared.options import Weight

FusionName = Literal["image_sum", "feature_sum", "feature_concat", "aggregate", "progressive"]

ACROSS = ("weight_hetero_center", "weight_3m")
"""Losses that compare the features of modalities."""


class TimmConfig(BaseModel):
    """The recipe's `[config]`. A weight of 0 turns its loss off.

    Attributes:
        backbone: A preset (`clip_vit_b16`) or any timm name (`convnext_tiny.fb_in1k`).
        streams: `own`, one backbone for each modality; `shared`, one for all.
        fusion: How modalities become one (Figure 6 of the IEEE paper).
        weight_ce: Cross-entropy of the fused feature after its neck.
        weight_triplet: Batch-hard triplet of the fused feature before its neck.
        weight_center: Center loss of the fused feature before its neck.
        weight_hetero_center: Hetero-center of the modalities' features, each of length 1.
        weight_3m: Multi-modal margin of the same.
        margin: Of the triplet; absent, the soft margin.
        margin_3m: The distance that 3M asks between two modalities.
        center_rate: The centres learn at so many times the recipe's rate.
        label_smoothing: Probability mass spread over all classes in the cross-entropy.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: str = Field(default="resnet50", min_length=1)
    streams: Literal["shared", "own"] = "own"
    fusion: FusionName = "feature_concat"
    weight_ce: Weight = 1.0
    weight_triplet: Weight = 1.0
    weight_center: Weight = 0.0
    weight_hetero_center: Weight = 0.0
    weight_3m: Weight = 0.0
    margin: Weight | None = None
    margin_3m: Weight = 1.0
    center_rate: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _losses_fit(self) -> Self:
        across = [name for name in ACROSS if getattr(self, name)]
        if self.fusion == "image_sum" and across:
            raise ValueError(
                f"{across[0]} compares the modalities' features, but fusion = image_sum has only "
                "those of the summed image; set it to 0 or choose another fusion"
            )
        weights = (self.weight_ce, self.weight_triplet, self.weight_center)
        if not any(weights) and not across:
            raise ValueError("every weight_* is 0: nothing would be trained")
        return self
