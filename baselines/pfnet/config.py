"""The options of PFNet."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PFNetConfig(BaseModel):
    """The recipe's `[config]`; the defaults are what the public code does.

    Attributes:
        backbone: Any timm network that yields feature maps, one per modality.
        label_smoothing: Probability mass spread over all classes in the cross-entropy.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: str = Field(default="resnet50", min_length=1)
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
