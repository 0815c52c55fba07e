"""The options of Signal."""

from __future__ import annotations

from pydantic import Field, model_validator

from baselines.shared.clip_config import ClipConfig
from baselines.shared.options import Weight


class SignalConfig(ClipConfig):
    """The recipe's `[config]`; the defaults are the authors' for RGBNT201.

    Attributes:
        sim: The class tokens look at chosen patches of all modalities.
        gam: The modalities' means over the patches are aligned; needs `sim`, as in the authors'
            code, which gives no such loss without it.
        lam: The patches themselves are aligned where a learned offset samples them; needs `gam`.
        top_k: Patches that a class token chooses of its own modality, and half of those it
            chooses of the others.
        gam_weight: Of the alignment of the means.
        lam_weight: Of the alignment of the patches.
        classifier_rate: The classifiers learn at so many times the recipe's rate; 100 on MSVR310.
    """

    sim: bool = True
    gam: bool = True
    lam: bool = True
    top_k: int = Field(default=80, ge=1)
    gam_weight: Weight = 0.2
    lam_weight: Weight = 0.2
    classifier_rate: float = Field(default=1.0, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _stages_build_on_each_other(self) -> SignalConfig:
        if self.gam and not self.sim:
            raise ValueError("gam has no loss without sim: set sim=true or gam=false")
        if self.lam and not self.gam:
            raise ValueError("lam comes on top of gam: set gam=true or lam=false")
        if self.encoder.out % 8:
            raise ValueError(f"encoder.out {self.encoder.out} is no multiple of 8 attention heads")
        return self
