"""The options of HAMNet."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from baselines.shared.options import Weight


class HAMNetConfig(BaseModel):
    """The recipe's `[config]`; the defaults are what the authors' code does.

    Attributes:
        backbone: Any timm network that yields feature maps, one per modality.
        margin: Of the triplet loss.
        weight_hc: Weight of the heterogeneity-collaboration loss; 0 turns it off.
        label_smoothing: Probability mass spread over all classes in the cross-entropy.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: str = Field(default="resnet50", min_length=1)
    margin: Weight = 0.3
    weight_hc: Weight = 0.001
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
