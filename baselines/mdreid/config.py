"""The options of MDReID."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from baselines.shared.clip_config import ClipConfig
from baselines.shared.options import Weight


class MDReIDConfig(ClipConfig):
    """The recipe's `[config]`; the defaults are the authors' for RGBNT201.

    Attributes:
        shared_token: A second token in front of the patches sees what the modalities share.
        orthogonality: What is shared is pulled together, and apart from what is not; needs
            `shared_token`.
        enhancement: Both parts side by side are to tell identities apart better than either
            alone; needs `shared_token`.
        supervision: As of `ClipConfig`, of the tokens that are a modality's own.
        shared_weight: Of both losses of the shared tokens, on top of `id_weight` and
            `triplet_weight`.
        orthogonality_weight, enhancement_weight: Of these losses.
    """

    shared_token: bool = True
    orthogonality: bool = True
    enhancement: bool = True
    supervision: Literal["joint", "each"] = "each"
    shared_weight: Weight = 3.0
    orthogonality_weight: Weight = 1.5
    enhancement_weight: Weight = 5.25

    @model_validator(mode="after")
    def _losses_have_their_token(self) -> MDReIDConfig:
        for name in ("orthogonality", "enhancement"):
            if getattr(self, name) and not self.shared_token:
                raise ValueError(
                    f"{name} is about the shared token: set shared_token=true or {name}=false"
                )
        return self
