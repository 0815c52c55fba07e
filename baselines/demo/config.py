"""The options of DeMo."""

from __future__ import annotations

from pydantic import Field, model_validator

from baselines.shared.clip_config import ClipConfig


class DeMoConfig(ClipConfig):
    """The recipe's `[config]`; the defaults are the authors' for RGBNT201.

    Attributes:
        pife: The class token learns of the mean over the patches.
        hdm: A learned query looks at the tokens of each set of modalities.
        atmoe: Experts and a gate by attention weigh what the queries found; needs `hdm`.
        heads: Parts that each of those vectors is cut into, with an expert for each.
        attention_dropout: Of the queries' attention.
    """

    pife: bool = True
    hdm: bool = True
    atmoe: bool = True
    heads: int = Field(default=4, ge=1)
    attention_dropout: float = Field(default=0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _parts_fit(self) -> DeMoConfig:
        if self.atmoe and not self.hdm:
            raise ValueError("atmoe weighs what hdm finds: set hdm=true or atmoe=false")
        if self.encoder.out % self.heads:
            raise ValueError(f"encoder.out {self.encoder.out} is no multiple of heads {self.heads}")
        return self
