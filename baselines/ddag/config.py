"""The options of DDAG."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class DDAGConfig(BaseModel):
    """The recipe's `[config]`; the defaults are what the authors' code does.

    Attributes:
        parts: Horizontal parts of the part attention.
        part_attention: IWPA; without it the global feature is the descriptor.
        graph: The graph attention across modalities, in training only.
        heads: Attention heads of its first layer.
        width: Numbers each head gives.
        dropout: On the graph's features and on its attention.
        slope: Of the leaky ReLU on the graph's attention scores.
        margin: Of the triplet loss on the pooled feature.
        descriptor: `part`, the aggregated feature, by which the authors choose their model, or
            `global`, the normalised pooled feature.
        backbone: Any ResNet of timm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: int = Field(default=3, ge=1, le=64)
    part_attention: bool = True
    graph: bool = True
    heads: int = Field(default=4, ge=1)
    width: int = Field(default=512, ge=1)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    slope: float = Field(default=0.2, ge=0)
    margin: float = Field(default=0.3, ge=0, allow_inf_nan=False)
    descriptor: Literal["part", "global"] = "part"
    backbone: str = Field(default="resnet50", min_length=1)
