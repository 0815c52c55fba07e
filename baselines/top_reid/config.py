"""The options of TOP-ReID."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from baselines.shared.vit_config import VitConfig


class TopReidConfig(VitConfig):
    """The recipe's `[config]`; the defaults are the authors' configuration of RGBNT201.

    Attributes:
        tpm: Whether class tokens are permuted over the modalities (TPM); without it the
            network is the papers' baseline, whose descriptor is the class tokens side by side.
        crm: Whether each modality learns to make the tokens of the others (CRM), which stand in
            for an absent one. It needs `tpm`.
        crm_depth: Transformer layers of each reconstruction.
        streams: `own`, a ViT for each modality, or `shared`, one for all.
        descriptor: The feature compared at test, `before` or `after` its neck.
        fusion_init: How the Linears of TPM and CRM start: PyTorch's `default`, as in the public
            code, or `trunc_normal` (0.02), as in the runs that the paper reports.
    """

    tpm: bool = True
    crm: bool = True
    crm_depth: int = Field(default=1, ge=1)
    streams: Literal["own", "shared"] = "own"
    descriptor: Literal["before", "after"] = "before"
    fusion_init: Literal["default", "trunc_normal"] = "default"

    @model_validator(mode="after")
    def _crm_needs_tpm(self) -> TopReidConfig:
        if self.crm and not self.tpm:
            raise ValueError("crm = true needs tpm = true: the tokens it makes are read by TPM")
        return self
