"""The options that single-modality networks in streams share; imports no torch."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class StreamConfig(BaseModel):
    """The recipe's `[config]` of a method that is one network for each modality.

    Attributes:
        label_smoothing: Probability mass spread over all classes in the cross-entropy.
        frozen_epochs: For so many epochs at the start only the classifiers learn; the networks
            stay in eval mode. It keeps pretrained weights from being spoilt by fresh classifiers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    frozen_epochs: int = Field(default=0, ge=0)
