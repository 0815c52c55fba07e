"""The options of the hetero-center network."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from baselines.shared.options import Weight


class HCConfig(BaseModel):
    """The recipe's `[config]`; the defaults are what the authors' code does.

    Attributes:
        parts: Horizontal stripes, each with an embedding and a classifier of its own.
        width: Numbers in the descriptor of a stripe.
        weight_hc: Weight of the hetero-center loss beside the cross-entropy of the same stripe.
        margin: Squared distance of two centres that costs nothing.
        dropout: Before the classifier.
        backbone: Any timm network that yields feature maps, one per modality.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: int = Field(default=6, ge=1, le=64)
    width: int = Field(default=512, ge=1)
    weight_hc: Weight = 0.5
    margin: Weight = 0.0
    dropout: float = Field(default=0.0, ge=0, lt=1)
    backbone: str = Field(default="resnet50", min_length=1)
