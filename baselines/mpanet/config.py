"""The options of MPANet."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from baselines.shared.options import Weight


class MPANetConfig(BaseModel):
    """The recipe's `[config]`; the defaults are what the authors' code does.

    Attributes:
        patterns: Pattern maps; with the whole map they give patterns + 1 pooled features.
        alleviation: After how many of the last stages modality is alleviated: 2 is layers 3 and
            4, 1 is layer 4, 0 none.
        mutual: Modality-specific classifiers with mutual mean learning.
        margin: Distance of two identities' centres above which they are left alone.
        weight_centre: Of the centre cluster loss.
        weight_separation: Of the overlap of pattern maps.
        weight_specific: Of the modality-specific cross-entropies (the code adds 0.5 twice).
        weight_mutual: Of the divergence between own and other modality's classifier.
        update_rate: How far a mean classifier moves towards its classifier each step.
        normalise: Descriptors of length 1, as the code has it for SYSU-MM01 and not for RegDB.
        backbone: Any ResNet of timm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    patterns: int = Field(default=6, ge=0, le=64)
    alleviation: int = Field(default=2, ge=0, le=2)
    mutual: bool = True
    margin: float = Field(default=0.7, ge=0, allow_inf_nan=False)
    weight_centre: Weight = 1.0
    weight_separation: Weight = 0.5
    weight_specific: Weight = 1.0
    weight_mutual: Weight = 2.5
    update_rate: float = Field(default=0.2, gt=0, le=1)
    normalise: bool = False
    backbone: str = Field(default="resnet50", min_length=1)
